import {expect} from 'chai'
import {existsSync} from 'node:fs'
import {readdir, readFile, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {packageText, trustOwnKey, writeSignedPackage} from '../support/packages.ts'
import {startServices, stopServices} from '../support/services.ts'
import {canPressKeys, openShell, placeAtomctl, type Terminal} from '../support/terminal.ts'

/** Values that would do something if a shell ever read them as its own. */
const HOSTILE = '$(touch pwned)`touch pwned`"; touch pwned; \'x'

const PARAMETERS = `  parameters:
    - name: region
      type: string
      description: Where it happens
      schema: {type: string, enum: [eu-west, us-east]}
    - name: word
      type: string
      schema: {type: string, enum: [${JSON.stringify(HOSTILE)}]}
    - name: loud
      type: boolean
`

const SHELLS = ['bash', 'zsh', 'fish'] as const

describe('completion by TAB in a real shell', function () {
  this.timeout(120_000)
  let sandbox: Sandbox

  before(async () => {
    sandbox = await createSandbox()
    await placeAtomctl(sandbox)
    await trustOwnKey(sandbox)
    await startServices(sandbox)
    const file = await writeSignedPackage(sandbox, {name: 'hello'})
    const pushed = await sandbox.atomctl(['push', file])
    expect(pushed.code, pushed.stderr).to.equal(0)
    const text = packageText({name: 'pick'}).replace('  handlers:', `${PARAMETERS}  handlers:`)
    await writeFile(sandbox.path('pick.wpk.yaml'), text)
    await writeFile(sandbox.path('pick.txt'), '')
    await writeFile(sandbox.path('two words.wpk.yaml'), text)
    await writeFile(
      sandbox.path('.bashrc'),
      "bind 'set show-all-if-ambiguous on'\nbind 'set bell-style none'\nPS1='READY> '\n",
    )
    await writeFile(sandbox.path('.zshrc'), "PROMPT='READY> '\nunsetopt beep\nsetopt no_prompt_sp\n")
  })

  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  for (const shell of SHELLS) {
    describe(shell, () => {
      before(async function () {
        if (!canPressKeys(shell)) {
          process.stderr.write(`      ${shell} or python3 is not installed: nothing is pressed there\n`)
          this.skip()
        }
        const {code, stderr} = await sandbox.atomctl(['completion', 'install', shell])
        expect(code, stderr).to.equal(0)
      })

      /** Types a line with TABs in it and Enter, and returns the arguments that came of it. */
      async function got(terminal: Terminal, line: string): Promise<string> {
        terminal.press(line)
        const text = await terminal.until(/GOT.*>\r?\n/)
        return /GOT(.*>)\r?\n/.exec(text)?.[1] ?? ''
      }

      it('completes a command', async () => {
        await using terminal = await openShell(sandbox, shell)
        expect(await got(terminal, 'atomctl valid\t\r')).to.equal('<validate>')
      })

      it('lists what can follow', async () => {
        await using terminal = await openShell(sandbox, shell)
        terminal.press('atomctl context \t')
        const text = await terminal.until(/delete[\s\S]*use/)
        if (shell !== 'bash') expect(text).to.match(/Remove a named target/)
      })

      it('completes a flag, and the value behind its equals sign', async () => {
        await using terminal = await openShell(sandbox, shell)
        expect(await got(terminal, 'atomctl list --safety-m\tma\t\r')).to.equal('<list><--safety-mode><manual>')
        expect(await got(terminal, 'atomctl list --safety-mode=ma\t\r')).to.equal('<list><--safety-mode=manual>')
      })

      it('completes the ID of a workflow that the registry holds', async () => {
        await known(sandbox, ['inspect', '='], '=hello-1.0.0')
        await using terminal = await openShell(sandbox, shell)
        expect(await got(terminal, 'atomctl inspect hello-\t\r')).to.equal('<inspect><hello-1.0.0>')
      })

      it('completes parameters of the package and their values', async () => {
        await known(sandbox, ['run', 'pick.wpk.yaml', '-p', '='], '=region=')
        await using terminal = await openShell(sandbox, shell)
        expect(await got(terminal, 'atomctl run pick.wpk.yaml -p reg\teu\t\r')).to.equal(
          '<run><pick.wpk.yaml><-p><region=eu-west>',
        )
      })

      it('inserts a hostile value as nothing but text', async () => {
        await known(sandbox, ['run', 'pick.wpk.yaml', '-p', '='], '=word=')
        await using terminal = await openShell(sandbox, shell)
        expect(await got(terminal, 'atomctl run pick.wpk.yaml -p word=\t\r')).to.equal(
          `<run><pick.wpk.yaml><-p><word=${HOSTILE}>`,
        )
        expect(existsSync(sandbox.path('pwned'))).to.equal(false)
      })

      it('completes packages where packages go, with spaces in their names', async () => {
        await using terminal = await openShell(sandbox, shell)
        expect(await got(terminal, 'atomctl validate pi\t\r')).to.equal('<validate><pick.wpk.yaml>')
        expect(await got(terminal, 'atomctl validate tw\t\r')).to.equal('<validate><two words.wpk.yaml>')
      })

      it('completes any file behind a flag that takes one', async () => {
        await using terminal = await openShell(sandbox, shell)
        expect(await got(terminal, 'atomctl verify --key pick.t\t\r')).to.equal('<verify><--key><pick.txt>')
      })
    })
  }

  describe('afterwards', () => {
    it('keeps what it learned where nobody else can read it', async () => {
      const folder = sandbox.path('.cache', 'atomctl', 'completion')
      await known(sandbox, ['context', 'delete', '='], '=dev')
      expect((await stat(folder)).mode & 0o777).to.equal(0o700)
      for (const name of await readdir(folder)) {
        expect((await stat(join(folder, name))).mode & 0o777, name).to.equal(0o600)
        expect(await readFile(join(folder, name), 'utf8')).not.to.match(/auth_token/)
      }
    })
  })
})

/** Waits until completion knows something, so that one TAB is enough. */
async function known(sandbox: Sandbox, words: readonly string[], line: string): Promise<void> {
  for (;;) {
    const {stdout} = await sandbox.atomctl(['__complete', 'zsh', ...words])
    if (stdout.split(/[\n\t]/).includes(line)) return
  }
}
