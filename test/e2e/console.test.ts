import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {packageText} from '../support/packages.ts'
import {canPressKeys, installAtomctl, openShell, type Terminal} from '../support/terminal.ts'

const ROOT = new URL('../../', import.meta.url)
/** Box drawing, block elements, and whatever fonts draw as pictures. */
const PICTURES = /[\u2500-\u259F\p{Extended_Pictographic}\u{FE0F}]/u
// oxlint-disable-next-line no-control-regex -- what colours and cursors are made of
const ESCAPES = /\u001B/

describe('what is printed', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await mkdir(sandbox.path('many'))
    for (let index = 0; index < 12; index++) {
      const name = `a-package-with-quite-a-long-name-${index}`
      await writeFile(sandbox.path('many', `${name}.wpk.yaml`), packageText({name}))
    }
    await writeFile(sandbox.path('many', 'bad.wpk.yaml'), 'kind: x\n')
  })
  after(() => sandbox[Symbol.asyncDispose]())

  describe('on a terminal', () => {
    let shell: Terminal
    before(async function () {
      if (!canPressKeys('bash')) return this.skip()
      await installAtomctl(sandbox)
      await writeFile(sandbox.path('.bashrc'), "PS1='READY> '\n")
      shell = await openShell(sandbox, 'bash')
    })
    after(() => shell?.[Symbol.asyncDispose]())

    const screenOf = async (line: string): Promise<string> => {
      shell.press(`${line}; echo "EXIT=$?"\r`)
      const screen = await shell.until(/EXIT=\d+\s+READY> $/)
      return screen.slice(screen.indexOf('\n') + 1)
    }

    for (const columns of [40, 80, 200]) {
      it(`has tables that are no wider than its ${columns} columns`, async () => {
        for (const command of ['atomctl templates list', 'atomctl batch validate many 2>/dev/null']) {
          const screen = await screenOf(`stty cols ${columns}; ${command}`)
          const lines = screen.split('\n').map((line) => line.replaceAll('\r', ''))
          const header = lines.findIndex((line) => /^(NAME|STATUS) /.test(line))
          expect(header, screen).to.be.at.least(0)
          const table = lines.slice(header, header + 10)
          for (const line of table) expect(line.length, line).to.be.at.most(columns)
          expect(table.some((line) => line.includes('…'))).to.equal(columns < 200)
        }
      })
    }

    it('is cut nowhere when it goes into a pipe', async () => {
      const screen = await screenOf('stty cols 40; atomctl batch validate many | cat > piped')
      expect(screen).to.contain('EXIT=')
      const text = await readFile(sandbox.path('piped'), 'utf8')
      expect(text).to.contain(
        'many/a-package-with-quite-a-long-name-11.wpk.yaml  a-package-with-quite-a-long-name-11-1.0.0',
      )
      expect(text).not.to.match(ESCAPES)
    })
  })

  describe('with colour', () => {
    const coloured = async (args: string[], env: Record<string, string>): Promise<boolean> => {
      const {stdout, stderr} = await sandbox.atomctl(args, {env})
      return ESCAPES.test(stdout + stderr)
    }

    it('has it when it is asked for, and the flag, then NO_COLOR, win over FORCE_COLOR and TERM', async () => {
      const args = ['batch', 'validate', 'many']
      expect(await coloured(args, {NO_COLOR: '', FORCE_COLOR: '1'})).to.equal(true)
      expect(await coloured([...args, '--color'], {NO_COLOR: '1', TERM: 'dumb'})).to.equal(true)
      expect(await coloured([...args, '--no-color'], {NO_COLOR: '', FORCE_COLOR: '1'})).to.equal(false)
      expect(await coloured(args, {NO_COLOR: '1', FORCE_COLOR: '1'})).to.equal(false)
      expect(await coloured(args, {NO_COLOR: '', TERM: 'dumb'})).to.equal(false)
    })
  })

  it('moves no cursor and draws nothing over where no terminal is, so that a reader hears each line once', async () => {
    const {stdout, stderr} = await sandbox.atomctl(['batch', 'validate', 'many'])
    expect(stdout + stderr)
      .not.to.match(ESCAPES)
      .and.not.to.contain('\r')
  })

  it('holds no pictures, emoji or boxes: not in the help, not in any text of the sources', async () => {
    const manifests = ['oclif.manifest.json', ...(await files('plugins', /^oclif\.manifest\.json$/))]
    const sources = (
      await Promise.all(['src', 'packages', 'plugins', 'services'].map((room) => files(room, /\.ts$/)))
    ).flat()
    const own = sources.filter((path) => /(^|[/\\])src[/\\]/.test(path))
    expect(own.length).to.be.greaterThan(200)
    for (const path of [...manifests, ...own]) {
      const lines = (await readFile(new URL(path, ROOT), 'utf8')).split('\n')
      const found = lines.findIndex((line) => PICTURES.test(line))
      expect(found, `${path}:${found + 1}: ${lines[found]}`).to.equal(-1)
    }
    for (const args of [['--help'], ['run', '--help'], ['batch', '--help']]) {
      const {code, stdout} = await sandbox.atomctl(args)
      expect(code).to.equal(0)
      expect(stdout).not.to.match(PICTURES)
    }
  })
})

async function files(room: string, name: RegExp): Promise<string[]> {
  const entries = await readdir(new URL(room, ROOT), {recursive: true, withFileTypes: true})
  const from = new URL(ROOT).pathname
  return entries
    .filter((entry) => entry.isFile() && name.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name).slice(from.length))
}
