import {
  type Behaviour,
  cutChunks,
  type FaultServer,
  flood,
  hang,
  hangUp,
  raw,
  redirect,
  refusedUrl,
  reply,
  reset,
  startFaultServer,
} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {existsSync} from 'node:fs'
import {mkdir, readdir, symlink, readFile, stat, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {packPlugin} from '../support/plugins.ts'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {canPressKeys, openShell, placeAtomctl} from '../support/terminal.ts'

const TAG = "$(touch pwned)`touch pwned`'; touch pwned #"

const HOSTILE_LIST = {
  total: 5,
  workflows: [
    ['good-1.0.0', 'Fine\u001b[2J $(touch pwned) `touch pwned`'],
    ['$(touch pwned)-1.0.0', 'x'],
    ['-rf-1.0.0', 'x'],
    ['two\nlines-1.0.0', 'x'],
    ["it's-1.0.0", 'x'],
  ].map(([id, description]) => ({id, name: id, version: '1.0.0', description, tags: [TAG, 'a\nb']})),
}

/** Asks as zsh does, and waits until the refresh behind it is over. */
async function complete(sandbox: Sandbox, words: readonly string[], cwd = sandbox.home): Promise<RunResult> {
  const result = await sandbox.atomctl(['__complete', 'zsh', ...words], {cwd})
  const folder = sandbox.path('.cache', 'atomctl', 'completion')
  while (existsSync(folder) && (await readdir(folder)).some((name) => name.endsWith('.refreshing'))) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return result
}

const SILENCE = {code: 0, signal: null, stdout: '', stderr: ''}

describe('completion when something is wrong', function () {
  this.timeout(120_000)

  const faults: [what: string, behaviour: Behaviour | undefined][] = [
    ['refuses the connection', undefined],
    ['never answers', hang],
    ['resets the connection', reset],
    ['hangs up', hangUp],
    ['answers 401', reply(401, {detail: 'who are you'})],
    ['answers 500', reply(500, 'broken')],
    ['answers no JSON', reply(200, '<html>')],
    ['answers JSON of another kind', reply(200, {workflows: 'none'})],
    ['does not talk HTTP', raw('SSH-2.0-OpenSSH\r\n')],
    ['breaks off', cutChunks('{"workflows": [')],
    ['answers without end', flood],
  ]
  for (const [what, behaviour] of faults) {
    it(`is silent when the registry ${what}`, async () => {
      await using sandbox = await createSandbox()
      const server = behaviour && (await startFaultServer(behaviour))
      try {
        const env = `registry_url: ${server?.url ?? (await refusedUrl())}\n`
        await mkdir(sandbox.path('.atomctl'))
        await writeFile(sandbox.path('.atomctl', 'config.yaml'), env)
        expect(await complete(sandbox, ['delete', '='])).to.deep.equal(SILENCE)
        expect(await complete(sandbox, ['delete', '='])).to.deep.equal(SILENCE)
      } finally {
        await server?.close()
      }
    })
  }

  it('is silent when the configuration is broken, and still completes commands', async () => {
    await using sandbox = await createSandbox()
    await mkdir(sandbox.path('.atomctl'))
    await writeFile(sandbox.path('.atomctl', 'config.yaml'), 'registry_url: [')
    expect(await complete(sandbox, ['delete', '='])).to.deep.equal(SILENCE)
    expect((await complete(sandbox, ['='])).stdout).to.match(/^=validate\t/m)
  })

  it('is silent about a shell it does not know, and without any words', async () => {
    await using sandbox = await createSandbox()
    for (const words of [[], ['tcsh', 'x'], ['bash']]) {
      const result = await sandbox.atomctl(['__complete', ...words])
      expect([result.code, result.stderr]).to.deep.equal([0, ''])
    }
  })

  it('sends the token to the registry it was configured for, and neither to a redirect nor to what a project names', async () => {
    await using sandbox = await createSandbox()
    const elsewhere = await startFaultServer(reply(200, {workflows: [], total: 0}))
    const own = await startFaultServer(redirect(`${elsewhere.url}/workflows`))
    try {
      await mkdir(sandbox.path('.atomctl'))
      await writeFile(sandbox.path('.atomctl', 'config.yaml'), `registry_url: ${own.url}\nauth_token: s3cret\n`)
      await complete(sandbox, ['delete', '='])
      expect(own.requests.map(({headers}) => headers['authorization'])).to.include('Bearer s3cret')
      await mkdir(sandbox.path('project'))
      await writeFile(sandbox.path('project', '.atomctl.yaml'), `registry_url: ${elsewhere.url}\n`)
      await complete(sandbox, ['delete', '='], sandbox.path('project'))
      await complete(sandbox, ['delete', '--registry-url', elsewhere.url, '='])
      expect(elsewhere.requests.length).to.be.greaterThan(0)
      expect(JSON.stringify(elsewhere.requests)).not.to.include('s3cret')
    } finally {
      await Promise.all([own.close(), elsewhere.close()])
    }
  })

  it('completes the commands of a plugin that was installed, and does not let it replace one of ours', async () => {
    await using sandbox = await createSandbox()
    await writeFile(sandbox.path('acme.tgz'), await packPlugin({name: 'acme', commands: ['acme:deploy']}))
    await sandbox.atomctl(['plugins', 'install', './acme.tgz', '--trust'])
    // nothing of a plugin runs at a TAB, so it is not asked whether its files are as they were
    const [manifest] = (await readdir(sandbox.path('.local'), {recursive: true, withFileTypes: true})).filter(
      ({name, parentPath}) => name === 'oclif.manifest.json' && parentPath.endsWith('/node_modules/acme'),
    )
    const commands = {
      'acme:deploy': {id: 'acme:deploy', summary: 'Deploy it', args: {}, flags: {}},
      validate: {id: 'validate', summary: 'Steal it', args: {}, flags: {}},
    }
    await writeFile(join(manifest?.parentPath ?? '', 'oclif.manifest.json'), JSON.stringify({commands}))
    const {stdout} = await sandbox.atomctl(['__complete', 'zsh', '='])
    expect(stdout).to.match(/^=acme$|^=acme\t/m)
    expect(stdout).not.to.include('Steal it')
    expect((await sandbox.atomctl(['__complete', 'zsh', 'acme', '='])).stdout).to.equal('=deploy\tDeploy it\n')
    expect((await sandbox.atomctl(['__complete', 'fish', 'plugins', 'uninstall', '='])).stdout).to.match(/^=acme$/m)
  })
})

describe('completion with a registry that means harm', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  let server: FaultServer

  before(async () => {
    sandbox = await createSandbox()
    server = await startFaultServer((request, response, socket) =>
      (request.url.startsWith('/workflows') ? reply(200, HOSTILE_LIST) : reply(404))(request, response, socket),
    )
    await placeAtomctl(sandbox)
    await mkdir(sandbox.path('.atomctl'))
    await writeFile(sandbox.path('.atomctl', 'config.yaml'), `registry_url: ${server.url}\n`)
    await writeFile(sandbox.path('.bashrc'), "PS1='READY> '\n")
    await writeFile(sandbox.path('.zshrc'), "PROMPT='READY> '\nsetopt no_prompt_sp\n")
  })

  after(async () => {
    await server.close()
    await sandbox[Symbol.asyncDispose]()
  })

  it('offers only IDs that are IDs', async () => {
    await complete(sandbox, ['delete', '='])
    const {stdout} = await complete(sandbox, ['delete', '='])
    expect(stdout).to.equal('=good-1.0.0\tFine [2J $(touch pwned) `touch pwned`\n')
  })

  for (const shell of ['bash', 'zsh', 'fish']) {
    it(`inserts its words as nothing but text in ${shell}`, async function () {
      if (!canPressKeys(shell)) return this.skip()
      await sandbox.atomctl(['completion', 'install', shell])
      await complete(sandbox, ['delete', '='])
      await complete(sandbox, ['list', '--tag', '='])
      await using terminal = await openShell(sandbox, shell)
      terminal.press('atomctl delete \t\r')
      expect(await terminal.until(/GOT.*>\r?\n/)).to.include('GOT<delete><good-1.0.0>')
      terminal.press('atomctl list --tag \t\r')
      expect(await terminal.until(/GOT.*>\r?\n/)).to.include(`GOT<list><--tag><${TAG}>`)
      expect(existsSync(sandbox.path('pwned'))).to.equal(false)
    })
  }
})

describe('completion install', function () {
  this.timeout(60_000)

  const FILES: [what: string, content: Buffer | undefined][] = [
    ['is not there', undefined],
    ['is empty', Buffer.from('')],
    ['ends without a line break', Buffer.from('alias a=b')],
    ['has the line ends of Windows', Buffer.from('alias a=b\r\n')],
    ['is not UTF-8', Buffer.from([0x23, 0xe9, 0xff, 0x0a])],
  ]
  for (const [what, content] of FILES) {
    it(`is undone to the byte when the start-up file ${what}`, async () => {
      await using sandbox = await createSandbox()
      const file = sandbox.path('.bashrc')
      if (content) await writeFile(file, content, {mode: 0o640})
      await sandbox.atomctl(['completion', 'install', 'bash'])
      const installed = await readFile(file)
      const again = await sandbox.atomctl(['completion', 'install', 'bash', '-o', 'json'])
      expect((JSON.parse(again.stdout) as {data: {changed: boolean}[]}).data[0]?.changed).to.equal(false)
      expect(await readFile(file)).to.deep.equal(installed)
      const {code, stderr} = await sandbox.atomctl(['completion', 'uninstall'])
      expect(code, stderr).to.equal(0)
      if (content) expect(await readFile(file)).to.deep.equal(content)
      else expect(existsSync(file)).to.equal(false)
      if (content) expect((await stat(file)).mode & 0o777).to.equal(0o640)
      expect(existsSync(sandbox.path('.atomctl', 'completion', 'atomctl.bash'))).to.equal(false)
    })
  }

  it('writes through a link to the file that is kept elsewhere', async () => {
    await using sandbox = await createSandbox()
    await writeFile(sandbox.path('dotfile'), 'x\n')
    await symlink('dotfile', sandbox.path('.zshrc'))
    await sandbox.atomctl(['completion', 'install', 'zsh'])
    expect(await readFile(sandbox.path('dotfile'), 'utf8')).to.match(/^x\n# >>> atomctl completion >>>\n/)
  })

  it('says that it needs the name of the shell when SHELL does not tell', async () => {
    await using sandbox = await createSandbox({SHELL: '/bin/tcsh'})
    const {code, stderr} = await sandbox.atomctl(['completion', 'install'])
    expect(code).to.equal(2)
    expect(stderr).to.match(/name it: bash, zsh, fish, powershell/)
  })

  it('prints the script that the shell in SHELL reads, under its former name too', async () => {
    await using sandbox = await createSandbox({SHELL: '/usr/bin/fish'})
    const {stdout} = await sandbox.atomctl(['completion'])
    expect(stdout).to.match(/^# fish completion/)
    expect((await sandbox.atomctl(['autocomplete', 'powershell'])).stdout).to.match(
      /Register-ArgumentCompleter -Native/,
    )
  })
})
