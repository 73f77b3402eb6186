import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {parseYaml} from '@atomctl/wpk/document'
import type {JsonObject} from '@atomctl/wpk/canonical'
import {type FaultServer, startAtomDouble} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {createSandbox, type RunOptions, type Sandbox} from '../support/atomctl.ts'
import {type Lie, startHostileRegistry} from '../support/hostile-registry.ts'
import {tamper, trustOwnKey, writePackage, writeSignedPackage} from '../support/packages.ts'
import {type DevServices, startServices, stopServices} from '../support/services.ts'

// Every way past the signature check that we could think of, tried with the real binary and the real services. Damaged
// hooks and a plugin's own commands are tried in test/hooks/signatures.test.ts.
describe('the signature check cannot be walked around', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  let services: DevServices
  let token: string
  let unsigned: string
  let tampered: string
  let foreign: string
  let signed: string

  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    services = await startServices(sandbox)
    token = /auth_token: "?([\w-]+)/.exec(await readFile(sandbox.path('.atomctl', 'config.yaml'), 'utf8'))?.[1] ?? ''
    unsigned = await writePackage(sandbox, {name: 'unsigned', command: traceCommand('unsigned')})
    tampered = await writeSignedPackage(sandbox, {name: 'tampered', command: traceCommand('tampered')})
    await tamper(sandbox, tampered)
    await atomctl(['keys', 'generate', '--no-trust', '--output-key-prefix', 'stranger'])
    foreign = await writePackage(sandbox, {name: 'foreign', command: traceCommand('foreign')})
    await atomctl(['sign', foreign, '--key', 'stranger.key'])
    signed = await writeSignedPackage(sandbox, {name: 'signed'})
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  /** A command that leaves a trace when it is run. */
  const traceCommand = (name: string): string => `touch ${sandbox.path(`trace-${name}`)}`
  const atomctl = (args: string[], options?: RunOptions) => sandbox.atomctl(args, options)

  async function expectRefused(args: string[], exit: number, options?: RunOptions): Promise<string> {
    const {code, stdout, stderr} = await atomctl(args, options)
    expect({code, stdout}, `${args.join(' ')}: ${stderr}`).to.deep.equal({code: exit, stdout: ''})
    return stderr
  }

  const traces = async (): Promise<string[]> =>
    (await readdir(sandbox.home)).filter((name) => name.startsWith('trace-'))

  describe('by flags', () => {
    it('there is no flag that turns it off, and an unknown one stops the command', async () => {
      for (const flag of ['--no-verify', '--insecure-skip-verify', '--skip-signature', '--no-signature', '--insecure'])
        for (const command of ['push', 'run'])
          expect(await expectRefused([command, unsigned, flag], 2)).to.contain(flag)
    })

    it('none of the flags that exist weakens it', async () => {
      for (const flags of [['--no-color'], ['--no-input'], ['--context', 'dev'], ['-q'], ['--', unsigned]])
        await expectRefused(['push', unsigned, ...flags], 10)
      for (const flags of [['--dry-run'], ['--local'], ['--wait', '--timeout', '5s'], ['-p', 'a=b']])
        await expectRefused(['run', unsigned, ...flags], 10)
      await expectRefused(['push', signed, unsigned, '--overwrite'], 10)
      await expectRefused(['push', unsigned, '--confirm', 'dev'], 10)
    })

    it('nothing of all that ran', async () => expect(await traces()).to.deep.equal([]))
  })

  describe('by the environment', () => {
    it('no variable turns it off', async () => {
      const env = {
        ATOMCTL_SKIP_VERIFY: '1',
        ATOMCTL_INSECURE: 'true',
        ATOMCTL_NO_VERIFY: '1',
        ATOMCTL_LEVEL: 'skip',
        COSIGN_EXPERIMENTAL: '1',
        NODE_ENV: 'development',
        OCLIF_SKIP_HOOKS: '1',
        DEBUG: '',
      }
      for (const command of ['push', 'run']) await expectRefused([command, unsigned], 10, {env})
    })

    it('a policy that is named and cannot be read is an error, never "no policy"', async () => {
      await writeFile(sandbox.path('broken-policy.yaml'), 'default: {level: lax}\n')
      for (const name of ['nowhere.yaml', 'broken-policy.yaml', '.']) {
        await expectRefused(['run', signed], 2, {env: {ATOMCTL_TRUST_POLICY: sandbox.path(name)}})
        await expectRefused(['run', signed, '--trust-policy', sandbox.path(name)], 2)
      }
    })

    it('another home directory has no policy, which is strict and trusts nobody', async () => {
      await mkdir(sandbox.path('elsewhere'), {recursive: true})
      await expectRefused(['run', sandbox.path(signed)], 12, {env: {ATOMCTL_HOME: sandbox.path('elsewhere')}})
      await expectRefused(['run', sandbox.path(unsigned)], 10, {env: {HOME: sandbox.path('elsewhere')}})
    })
  })

  describe("by a project's files", () => {
    let project: (files: Record<string, string>) => Promise<{cwd: string}>
    before(() => {
      let count = 0
      project = async (files) => {
        const cwd = sandbox.path(`project-${count++}`)
        await mkdir(cwd)
        for (const [name, text] of Object.entries(files)) await writeFile(`${cwd}/${name}`, text)
        return {cwd}
      }
    })

    const LOOSE = 'default: {level: skip}\n'

    it('a looser policy changes nothing', async () => {
      const options = await project({'.atomctl.yaml': 'trust_policy: loose.yaml\n', 'loose.yaml': LOOSE})
      for (const [file, code] of [
        [unsigned, 10],
        [tampered, 11],
        [foreign, 12],
      ] as const)
        for (const command of ['push', 'run']) await expectRefused([command, sandbox.path(file)], code, options)
      const run = await atomctl(['run', sandbox.path(signed), '-o', 'json'], options)
      expect(run.code, run.stderr).to.equal(0)
      expect(run.stdout).not.to.contain('NOT VERIFIED')
    })

    it('a policy that trusts another key does not make it trusted', async () => {
      const policy = `keys: {stranger: {file: ${JSON.stringify(sandbox.path('stranger.pub'))}}}
rules: [{name: all, signers: [{keys: [stranger]}]}]
`
      const options = await project({'.atomctl.yaml': 'trust_policy: ours.yaml\n', 'ours.yaml': policy})
      await expectRefused(['run', sandbox.path(foreign)], 12, options)
      // … and what the user trusts must satisfy the project as well
      expect(await expectRefused(['run', sandbox.path(signed)], 12, options)).to.contain(
        'which rule all does not trust',
      )
    })

    it('a stricter policy tightens, also for those who work below its directory', async () => {
      const options = await project({'.atomctl.yaml': 'trust_policy: strict.yaml\n', 'strict.yaml': 'rules: []\n'})
      await mkdir(`${options.cwd}/below/it`, {recursive: true})
      await expectRefused(['run', sandbox.path(signed)], 12, {cwd: `${options.cwd}/below/it`})
    })

    it('a policy that is named and missing is an error', async () => {
      await expectRefused(
        ['run', sandbox.path(signed)],
        2,
        await project({'.atomctl.yaml': 'trust_policy: none.yaml\n'}),
      )
    })

    it('a user who looks away does not blind the project, and the other way round', async () => {
      const env = {ATOMCTL_TRUST_POLICY: sandbox.path('loose.yaml')}
      await writeFile(sandbox.path('loose.yaml'), LOOSE)
      const options = await project({'.atomctl.yaml': 'trust_policy: strict.yaml\n', 'strict.yaml': 'rules: []\n'})
      await expectRefused(['run', sandbox.path(unsigned)], 10, {...options, env})
    })

    it('variables in its files are not read', async () => {
      const options = await project({
        '.env': `ATOMCTL_TRUST_POLICY=loose.yaml\n`,
        '.envrc': `export ATOMCTL_TRUST_POLICY=loose.yaml\n`,
        '.npmrc': 'node-options=--require ./loose.yaml\n',
        'package.json': JSON.stringify({oclif: {hooks: {prerun: './loose.js'}, plugins: ['./loose.js']}}),
        'loose.js': 'throw new Error("loaded")\n',
        'loose.yaml': LOOSE,
      })
      const stderr = await expectRefused(['run', sandbox.path(unsigned)], 10, options)
      expect(stderr).not.to.contain('loaded')
    })

    it('settings it has no say in are refused, not ignored', async () => {
      for (const line of ['level: skip', 'default: {level: skip}', 'insecure: true', 'verify: false'])
        await expectRefused(['run', sandbox.path(unsigned)], 2, await project({'.atomctl.yaml': `${line}\n`}))
    })

    it("a registry that it names does not choose which of the user's rules a file is judged by", async () => {
      const lab = 'http://lab.invalid:8000'
      const policy = `rules: [{name: lab, scope: {registries: ["${lab}"]}, level: skip}]\n`
      await writeFile(sandbox.path('lab-policy.yaml'), policy)
      const env = {ATOMCTL_TRUST_POLICY: sandbox.path('lab-policy.yaml')}
      const {cwd} = await project({'.atomctl.yaml': `registry_url: ${lab}\n`})
      await expectRefused(['run', sandbox.path(unsigned), '--local'], 10, {cwd, env})
      expect((await atomctl(['verify', sandbox.path(unsigned)], {cwd, env})).code).to.equal(10)
      const own = await atomctl(['run', sandbox.path(unsigned), '--local'], {env: {...env, ATOMCTL_REGISTRY_URL: lab}})
      expect(own.code, own.stderr).to.equal(0)
      expect(own.stderr).to.contain('NOT VERIFIED: rule lab')
    })
  })

  describe('by a registry', () => {
    let registry: FaultServer
    let lie: Lie
    before(async () => {
      registry = await startHostileRegistry(() => lie)
    })
    after(() => registry.close())

    const bytesOf = (file: string): Promise<Buffer> => readFile(sandbox.path(file))
    const listing = async (file: string): Promise<JsonObject> =>
      parseYaml(await bytesOf(file), file).value as JsonObject

    async function expectNothingPulled(id: string, exit: number, message: RegExp): Promise<void> {
      const cwd = sandbox.path('pulled')
      await mkdir(cwd, {recursive: true})
      const stderr = await expectRefused(['pull', id, '--registry-url', registry.url], exit, {cwd})
      expect(stderr).to.match(message).and.not.to.contain('.atomctl-pull-')
      expect(await readdir(cwd)).to.deep.equal([])
    }

    it('that lists a signed package and serves other bytes gets nothing onto the disk', async () => {
      const listed = await listing(signed)
      const other = await writeSignedPackage(sandbox, {name: 'signed', version: '1.0.0', command: 'echo other'})
      const cases: [string, number, RegExp][] = [
        [other, 11, /serves another document than it lists/],
        [unsigned, 10, /no signature/],
        [tampered, 11, /changed after it was signed/],
        [foreign, 12, /does not trust/],
      ]
      for (const [file, exit, message] of cases) {
        lie = {listed, served: await bytesOf(file)}
        await expectNothingPulled('signed-1.0.0', exit, message)
      }
      lie = {listed, served: Buffer.from('\x1f\x8bnot really'), digest: `sha256:${'0'.repeat(64)}`}
      await expectNothingPulled('signed-1.0.0', 9, /digest/)
      signed = await writeSignedPackage(sandbox, {name: 'signed'})
    })

    it('that answers another package, version or id than was asked for is caught', async () => {
      const listed = await listing(signed)
      const served = await bytesOf(signed)
      for (const id of ['signed-1.0.1', 'signed-0.9.0', 'other-1.0.0']) {
        for (const answer of [{listed, served}, {listed}]) {
          lie = answer
          await expectNothingPulled(id, 11, /asked for .*, got /)
        }
      }
      lie = {listed, served, id: 'other-1.0.0'}
      await expectNothingPulled('signed-1.0.0', 9, /another workflow/)
    })

    it('that lists what nobody trusted signed gets it neither pulled nor run', async () => {
      await using original = await disposable(startAtomDouble())
      for (const [file, exit] of [
        [unsigned, 10],
        [tampered, 11],
        [foreign, 12],
      ] as const) {
        const id = `${file.split('.')[0] ?? ''}-1.0.0`
        lie = {listed: await listing(file), served: await bytesOf(file)}
        await expectNothingPulled(id, exit, /./)
        const targets = ['--registry-url', registry.url, '--runtime-url', original.value.runtimeUrl]
        await expectRefused(['run', id, ...targets], exit)
      }
      expect(original.value.requests).to.deep.equal([])
    })

    it("is not served by another registry's packages when the signature is bound", async () => {
      const bound = await writePackage(sandbox, {name: 'bound'})
      await atomctl(['sign', bound, '--registry', 'https://registry.example.com'])
      lie = {listed: await listing(bound), served: await bytesOf(bound)}
      await expectNothingPulled('bound-1.0.0', 11, /is for the registry https:\/\/registry\.example\.com/)
      await expectRefused(['push', bound], 11)
      const url = services.registryUrl.replace('127.0.0.1', 'localhost')
      await atomctl(['sign', bound, '--registry', url])
      // a token goes only where it was configured for, so that another name of the registry needs it said again
      const pushed = await atomctl(['push', bound, '--registry-url', url], {env: {ATOMCTL_AUTH_TOKEN: token}})
      expect(pushed.code, pushed.stderr).to.equal(0)
    })
  })

  describe('by asking a service directly', () => {
    type Reply = [status: number, code: unknown]

    async function post(url: string, body: string | FormData, headers: Record<string, string> = {}): Promise<Reply> {
      const answer = await fetch(url, {method: 'POST', body, headers: {authorization: `Bearer ${token}`, ...headers}})
      return [answer.status, ((await answer.json()) as {code?: unknown}).code]
    }

    async function execute(file: string, headers: Record<string, string> = {}): Promise<Reply> {
      const {value} = parseYaml(await readFile(sandbox.path(file)), file)
      const id = `${file.split('.')[0] ?? ''}-1.0.0`
      const body = JSON.stringify({workflow_id: id, wpk_content: value})
      return post(`${services.runtimeUrl}/execute`, body, {'content-type': 'application/json', ...headers})
    }

    async function upload(file: string): Promise<Reply> {
      const form = new FormData()
      form.set('file', new Blob([await readFile(sandbox.path(file))]), 'wpk.yaml')
      return post(`${services.registryUrl}/workflows`, form)
    }

    it('the runtime refuses with 403 what its policy does not trust, and nothing runs', async () => {
      const before = await traces()
      expect(await execute(unsigned)).to.deep.equal([403, 'WPK_UNSIGNED'])
      expect(await execute(tampered)).to.deep.equal([403, 'WPK_TAMPERED'])
      expect(await execute(foreign)).to.deep.equal([403, 'SIGNER_UNTRUSTED'])
      expect(await traces()).to.deep.equal(before)
    })

    it('the registry refuses with 400, and keeps nothing', async () => {
      expect(await upload(unsigned)).to.deep.equal([400, 'WPK_UNSIGNED'])
      expect(await upload(tampered)).to.deep.equal([400, 'WPK_TAMPERED'])
      expect(await upload(foreign)).to.deep.equal([400, 'SIGNER_UNTRUSTED'])
      expect((await atomctl(['list', '-q'])).stdout).not.to.match(/unsigned|tampered|foreign/)
    })

    it('both refuse a signature that is bound to another registry', async () => {
      const bound = await writePackage(sandbox, {name: 'elsewhere'})
      await atomctl(['sign', bound, '--registry', 'https://registry.example.com'])
      expect(await execute(bound)).to.deep.equal([403, 'WPK_TAMPERED'])
      expect(await upload(bound)).to.deep.equal([400, 'WPK_TAMPERED'])
    })

    it('neither listens without the token', async () => {
      expect((await execute(signed, {authorization: ''}))[0]).to.equal(401)
      expect((await execute(signed, {authorization: 'Bearer guess'}))[0]).to.equal(401)
    })
  })

  describe('but a policy may say so, and then it is said loudly', () => {
    const cases = [
      ['skip', unsignedFile, /NOT VERIFIED: rule \(default\)/],
      ['audit', unsignedFile, /NOT ENFORCED: rule \(default\)/],
      ['audit', foreignFile, /SIGNER_UNTRUSTED: .*let through: trust level audit/],
      ['permissive', unsignedFile, /WPK_UNSIGNED: .*let through: trust level permissive/],
    ] as const

    for (const [level, fileOf, message] of cases) {
      it(`${level}: ${String(message.source)}`, async () => {
        await writeFile(sandbox.path('level.yaml'), `default: {level: ${level}}\n`)
        const args = ['run', fileOf(), '--local', '--trust-policy', sandbox.path('level.yaml')]
        const text = await atomctl(args)
        expect(text.code, text.stderr).to.equal(0)
        expect(text.stderr).to.match(message)
        const json = await atomctl([...args, '-o', 'json'])
        const {warnings} = JSON.parse(json.stdout) as {warnings: string[]}
        expect(warnings.join('\n')).to.match(message)
      })
    }

    it('also when what it let through then fails', async () => {
      const failing = await writePackage(sandbox, {name: 'failing', command: 'exit 3'})
      await writeFile(sandbox.path('level.yaml'), 'default: {level: skip}\n')
      const {code, stderr} = await atomctl(['run', failing, '--local', '--trust-policy', sandbox.path('level.yaml')])
      expect(code).to.equal(20)
      expect(stderr).to.contain('NOT VERIFIED')
    })

    it('permissive still refuses what was tampered with or signed by somebody else', async () => {
      await writeFile(sandbox.path('level.yaml'), 'default: {level: permissive}\n')
      await expectRefused(['run', tampered, '--trust-policy', sandbox.path('level.yaml')], 11)
      await expectRefused(['run', foreign, '--trust-policy', sandbox.path('level.yaml')], 12)
    })
  })

  // The files have their names only once `before` ran.
  function unsignedFile(): string {
    return unsigned
  }
  function foreignFile(): string {
    return foreign
  }
})

async function disposable<T extends {close(): Promise<void>}>(starting: Promise<T>) {
  const value = await starting
  return {value, [Symbol.asyncDispose]: () => value.close()}
}
