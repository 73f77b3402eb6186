import {spawn, spawnSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {existsSync, readFileSync} from 'node:fs'
import {mkdir, rm, utimes, writeFile} from 'node:fs/promises'
import type {ServerResponse} from 'node:http'
import {setTimeout as pause} from 'node:timers/promises'
import {stripVTControlCharacters} from 'node:util'
import {fileURLToPath} from 'node:url'
import {type Behaviour, startFaultServer} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {IDENTITY, identityToken, ISSUER, startSigstore} from '../interop/sigstore/index.ts'
import {ATOMCTL, createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'

const PTY = fileURLToPath(new URL('../support/on_terminal.py', import.meta.url))
const DAY = 24 * 60 * 60_000
const hasPython = spawnSync('python3', ['--version']).status === 0

/** What a release server answers, by path. */
type Files = Record<string, string | Buffer>

describe('hearing of a new version', function () {
  this.timeout(240_000)
  let sandbox: Sandbox
  let running: string
  const releases = new Map<string, Files>()

  before(async () => {
    sandbox = await createSandbox()
    running = (JSON.parse((await sandbox.atomctl(['version', '-o', 'json'])).stdout) as {data: {version: string}}).data
      .version
    for (const name of ['release', 'other']) await succeed(['keys', 'generate', '--output-key-prefix', name])
    for (const version of ['0.9.0', '9.0.0', '9.1.0', '10.0.0-rc.1'])
      releases.set(version, await sign(version, 'release'))
  })
  after(() => sandbox[Symbol.asyncDispose]())

  async function succeed(words: readonly string[]): Promise<string> {
    const {code, stdout, stderr} = await sandbox.atomctl(words)
    expect(code, stderr).to.equal(0)
    return stdout
  }

  /** The two files that `npm run dist -- --key` writes last, made the way it makes them. */
  async function sign(version: string, key: string): Promise<Files> {
    const digest = createHash('sha256').update(version).digest('hex')
    const names = [`atomctl-${version}.tgz`, `atomctl-${version}-linux-x64.tar.gz`, `atomctl-services-${version}.tgz`]
    await writeFile(sandbox.path('SHA256SUMS'), names.map((name) => `${digest}  ${name}\n`).join(''))
    await succeed(['sign', '--detached', '--key', `${key}.key`, 'SHA256SUMS'])
    return {
      '/SHA256SUMS': readFileSync(sandbox.path('SHA256SUMS')),
      '/SHA256SUMS.sigstore.json': readFileSync(sandbox.path('SHA256SUMS.sigstore.json')),
    }
  }

  const release = (version: string): Files => releases.get(version) ?? {}
  const statePath = (): string => sandbox.path('.cache', 'atomctl', 'update.json')
  const state = (): {version?: string; failure?: {code: string}; at: number} =>
    JSON.parse(readFileSync(statePath(), 'utf8')) as ReturnType<typeof state>

  /** A server of these files, with the settings that name it and `release.pub`. */
  async function serving(behaviour: Behaviour | Files, settings: Readonly<Record<string, string>> = {}) {
    await rm(sandbox.path('.cache', 'atomctl'), {recursive: true, force: true})
    const server = await startFaultServer(typeof behaviour === 'function' ? behaviour : answering(() => behaviour))
    await configure({update_url: server.url, update_key: 'release.pub', ...settings})
    return {...server, [Symbol.asyncDispose]: () => server.close()}
  }

  async function configure(settings: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(sandbox.path('.atomctl'), {recursive: true})
    const entries = Object.entries(settings).filter(([, value]) => value !== '')
    const anchored = entries.map(([key, value]) => [key, key === 'update_key' ? sandbox.path(value) : value])
    await writeFile(sandbox.path('.atomctl', 'config.yaml'), JSON.stringify(Object.fromEntries(anchored)), {
      mode: 0o600,
    })
  }

  const check = (...more: string[]): Promise<RunResult> => sandbox.atomctl(['version', '--check', ...more])

  /** A command on a terminal; what it shows. `flags` go to Node. */
  async function onTerminal(
    words: readonly string[],
    env: Readonly<Record<string, string>> = {},
    flags: readonly string[] = [],
  ): Promise<string> {
    const environment = {PATH: process.env['PATH'], HOME: sandbox.home, TERM: 'xterm', ...env}
    const args = [PTY, 'sh', '-c', '"$@"; echo "ENDED $?"', 'sh', process.execPath, ...flags, ATOMCTL, ...words]
    // its standard input stays open: the terminal is hung up when that ends
    const child = spawn('python3', args, {cwd: sandbox.home, env: environment, stdio: ['pipe', 'pipe', 'inherit']})
    let screen = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text))
    await new Promise((resolve) => child.once('close', resolve))
    return stripVTControlCharacters(screen)
  }

  describe('version --check', () => {
    it('says what is available, who signed the listing, and which file of it is for this installation', async () => {
      await using server = await serving(release('9.0.0'))
      const {code, stdout} = await check()
      expect(code).to.equal(0)
      expect(stdout).to.contain(`atomctl 9.0.0 is available; this is ${running}`).and.to.contain('Signed By: SHA256:')
      expect(stdout)
        .to.contain(`File: ${server.url}/atomctl-9.0.0.tgz`)
        .and.to.match(/Digest: sha256:[\da-f]{64}/)
      expect(server.requests.map(({headers}) => headers['authorization'])).to.deep.equal([undefined, undefined])
    })

    it('tells a program the same, and nothing with -q when there is nothing newer', async () => {
      await using _ = await serving(release('9.0.0'))
      const {data} = JSON.parse((await check('-o', 'json')).stdout) as {data: object}
      expect(data).to.include({running, listed: '9.0.0', available: true})
      await using __ = await serving(await sign(running, 'release'))
      expect(await check('-q')).to.include({code: 0, stdout: ''})
    })

    it('offers no preview to whoever runs none', async () => {
      await using _ = await serving(release('10.0.0-rc.1'))
      expect((await check()).stdout).to.contain(`atomctl ${running} is the newest`)
    })

    it('believes a keyless identity, with its issuer and a trusted root, and no other', async () => {
      await using sigstore = await startSigstore()
      await sign('9.0.0', 'release')
      await rm(sandbox.path('SHA256SUMS.sigstore.json'))
      const keyless = ['--keyless', '--signing-config', sigstore.signingConfigs[2], '--identity-token', identityToken()]
      await succeed(['sign', '--detached', ...keyless, 'SHA256SUMS'])
      await writeFile(sandbox.path('root.json'), readFileSync(sigstore.trustedRoot))
      const files = {
        '/SHA256SUMS': readFileSync(sandbox.path('SHA256SUMS')),
        '/SHA256SUMS.sigstore.json': readFileSync(sandbox.path('SHA256SUMS.sigstore.json')),
      }
      const settings = {update_key: '', update_issuer: ISSUER, update_trusted_root: sandbox.path('root.json')}
      await using _ = await serving(files, {...settings, update_identity: IDENTITY})
      expect((await check()).stdout)
        .to.contain('9.0.0 is available')
        .and.to.contain(IDENTITY)
      await using __ = await serving(files, {...settings, update_identity: 'somebody@else.example'})
      expect((await check()).code).to.equal(12)
      await using ___ = await serving(files, {update_key: '', update_issuer: ISSUER, update_identity: IDENTITY})
      expect((await check()).stderr).to.contain('not one signer')
    })

    it('asks nobody without update_url, and says what is missing', async () => {
      await configure({})
      const {code, stderr} = await check()
      expect(code).to.equal(2)
      expect(stderr).to.contain('none is built in').and.to.contain('config set update_url')
    })
  })

  describe('what is not believed: said by version --check, kept from the notice, told by doctor', () => {
    const other: Files = {}
    const tampered: Files = {}
    before(async () => {
      Object.assign(other, await sign('9.0.0', 'other'))
      const sums = String(release('9.0.0')['/SHA256SUMS']).replaceAll('9.0.0', '9.9.9')
      Object.assign(tampered, release('9.0.0'), {'/SHA256SUMS': sums})
    })
    const redirect: Behaviour = (_, response) => response.writeHead(302, {location: 'http://localhost:1/'}).end()
    const huge: Behaviour = (_, response) => endless(response)
    const half: Behaviour = (_, response, socket) => {
      response.writeHead(200, {'content-length': '100000'}).write('half')
      setImmediate(() => socket.destroy())
    }
    const cases: [string, () => Behaviour | Files, number, string][] = [
      ['another signer', () => other, 12, 'SIGNER_UNTRUSTED'],
      ['a listing that was changed', () => tampered, 11, 'WPK_TAMPERED'],
      ['no bundle', () => ({'/SHA256SUMS': release('9.0.0')['/SHA256SUMS'] ?? ''}), 6, 'ENDPOINT_NOT_FOUND'],
      ['a bundle that is none', () => ({...release('9.0.0'), '/SHA256SUMS.sigstore.json': '{}'}), 11, 'SIGNATURE'],
      ['an older version than the one that runs', () => release('0.9.0'), 7, 'RELEASE_STALE'],
      ['an answer without end', () => huge, 9, 'PROTOCOL'],
      ['a redirect to another host', () => redirect, 6, 'ENDPOINT_NOT_FOUND'],
      ['an answer cut off in the middle', () => half, 9, 'PROTOCOL'],
    ]
    for (const [what, behaviour, exit, name] of cases) {
      it(what, async () => {
        await using _ = await serving(behaviour())
        const {code, stdout, stderr} = await sandbox.atomctl(['version', '--check'], {
          env: {ATOMCTL_RETRY_ATTEMPTS: '1'},
        })
        expect(stdout).to.equal('')
        expect(code, stderr).to.equal(exit)
        expect(state().version).to.equal(undefined)
        expect(state().failure?.code).to.contain(name)
        const doctor = await sandbox.atomctl(['doctor'])
        expect(doctor.stdout).to.match(new RegExp(`fail  updates: ${name}`))
      })
    }

    it('an older listing than one that was seen, which stays what is offered', async () => {
      let files = release('9.1.0')
      await using _ = await serving(answering(() => files))
      expect((await check()).code).to.equal(0)
      files = release('9.0.0')
      const {code, stderr} = await check()
      expect(code).to.equal(7)
      expect(stderr).to.contain('9.1.0 was seen before')
      expect(state().version).to.equal('9.1.0')
    })

    it('anything, where no signer is configured, or two', async () => {
      await using server = await serving(release('9.0.0'), {update_key: ''})
      expect((await check()).stderr).to.contain('not one signer')
      expect(server.requests).to.deep.equal([])
    })

    it('a server that is asked without encryption, unless it is on this machine', async () => {
      await configure({update_url: 'http://releases.example.com', update_key: 'release.pub'})
      expect((await check()).stderr).to.contain('has to start with https://')
      expect((await sandbox.atomctl(['doctor'])).stdout).to.contain('fail  updates')
    })

    it("a project's server and signer, of which doctor warns", async () => {
      await using server = await serving(release('9.0.0'))
      await configure({})
      const project = sandbox.path('project')
      await mkdir(project, {recursive: true})
      const file = JSON.stringify({update_url: server.url, update_key: '../release.pub'})
      await writeFile(sandbox.path('project', '.atomctl.yaml'), file)
      expect((await sandbox.atomctl(['version', '--check'], {cwd: project})).code).to.equal(2)
      expect((await sandbox.atomctl(['doctor'], {cwd: project})).stdout).to.contain(
        'update_url of a project is ignored',
      )
      expect(server.requests).to.deep.equal([])
    })
  })

  describe('the notice', () => {
    before(function () {
      if (!hasPython || process.platform === 'win32') {
        process.stderr.write('      no python3: no terminal\n')
        this.skip()
      }
    })

    it('comes after a check in a process of its own, once a day, and the command itself opens no socket', async () => {
      await using server = await serving(release('9.0.0'))
      const report = sandbox.path('sockets')
      // whatever the started process does is its own: only the command is denied the network
      const preload = `if (process.argv[2] !== 'version') await import(${JSON.stringify(NO_NETWORK)})`
      const flags = ['--import', `data:text/javascript,${encodeURIComponent(preload)}`]
      const env = {NETWORK_REPORT: report}
      expect(await onTerminal(['explain', 'USAGE'], env, flags))
        .to.contain('ENDED 0')
        .and.not.to.contain('is available')
      await kept()
      const told = await onTerminal(['explain', 'USAGE'], env, flags)
      expect(told).to.contain(`atomctl 9.0.0 is available; this is ${running}`).and.to.contain('ENDED 0')
      expect(await onTerminal(['explain', 'USAGE'], env, flags)).not.to.contain('is available')
      expect(existsSync(report)).to.equal(false)
      expect(server.requests.length, 'one check').to.equal(2)
    })

    it('is asked for anew after a day, and not before, also when the last check failed', async () => {
      await using server = await serving({})
      await onTerminal(['explain', 'USAGE'])
      await kept()
      const asked = server.requests.length
      expect(state().failure).not.to.equal(undefined)
      await onTerminal(['explain', 'USAGE'])
      expect(server.requests.length).to.equal(asked)
      await writeFile(statePath(), JSON.stringify({...state(), at: Date.now() - DAY}))
      await onTerminal(['explain', 'USAGE'])
      await server.received(asked + 1)
      await kept()
    })

    it('is silent in CI, when switched off, for programs, and when nothing newer is known', async () => {
      await using _ = await serving(release('9.0.0'))
      expect((await check()).code).to.equal(0)
      const silent: [string[], Record<string, string>][] = [
        [[], {CI: '1'}],
        [[], {NO_UPDATE_NOTIFIER: '1'}],
        [[], {ATOMCTL_NO_UPDATE_NOTIFIER: '1'}],
        [[], {ATOMCTL_UPDATE_NOTICE: 'off'}],
        [['-o', 'json'], {}],
        [['-q'], {}],
        [[], {ATOMCTL_OUTPUT: 'yaml'}],
      ]
      for (const [words, env] of silent) {
        expect(await onTerminal(['explain', 'USAGE', ...words], env), JSON.stringify([words, env])).not.to.contain(
          'available',
        )
      }
      expect(await onTerminal(['explain', 'USAGE'])).to.contain('9.0.0 is available')
    })

    it('is not made of what was learned with another key', async () => {
      await using _ = await serving(release('9.0.0'))
      expect((await check()).code).to.equal(0)
      await utimes(sandbox.path('release.pub'), 1, 1)
      expect(await onTerminal(['explain', 'USAGE'])).not.to.contain('is available')
      await kept()
    })

    it('is not made of a state file that somebody else wrote into', async () => {
      await using _ = await serving(release('9.0.0'))
      expect((await check()).code).to.equal(0)
      const honest = state()
      for (const text of ['', '[]', 'null', JSON.stringify({...honest, version: '9.9.9\u001B[31m'})]) {
        await writeFile(statePath(), text)
        expect(await onTerminal(['explain', 'USAGE']))
          .to.contain('ENDED 0')
          .and.not.to.contain('is available')
        await kept()
      }
    })
  })

  /** Resolves when a started check has left its answer. */
  async function kept(): Promise<void> {
    while (!existsSync(statePath()) || existsSync(`${statePath()}.refreshing`)) await pause(20)
  }
})

const NO_NETWORK = new URL('../interop/no-network.mjs', import.meta.url).href

function answering(files: () => Files): Behaviour {
  return ({url}, response) => {
    const content = files()[url]
    if (content === undefined) response.writeHead(404).end()
    else response.end(content)
  }
}

function endless(response: ServerResponse): void {
  response.writeHead(200)
  const more = (): void => {
    while (!response.destroyed && response.write('x'.repeat(1 << 16)));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}
