import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {setScalar} from '@atomctl/wpk/document'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {tamper, writePackage} from '../support/packages.ts'
import {type DevServices, startServices, stopServices} from '../support/services.ts'
import {findCosign, runCosign} from './cosign.ts'
import {IDENTITY, identityToken, ISSUER, type LoopbackSigstore, startSigstore} from './sigstore/index.ts'

const PREDICATE = 'https://atomctl.dev/attestations/wpk/v1'
const ID = 'hello-1.0.0'

/** Two people with keys and one without, whose signatures go beside each other; the services have the same policy. */
describe('a package that several people signed', function () {
  this.timeout(120_000)
  const cosign = findCosign()
  let sigstore: LoopbackSigstore
  let sandbox: Sandbox
  let services: DevServices
  let file: string
  /** The text with the signatures of alice, bob and the keyless signer. */
  let complete: string

  before(async () => {
    sigstore = await startSigstore()
    sandbox = await createSandbox()
    for (const name of ['alice', 'bob', 'mallory'])
      expectCode(0, await sandbox.atomctl(['keys', 'generate', '--no-trust', '--output-key-prefix', name]))
    await mkdir(sandbox.path('.atomctl'))
    await writePolicy(3)
    services = await startServices(sandbox)
    file = await writePackage(sandbox)
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
    await sigstore[Symbol.asyncDispose]()
  })

  function expectCode(code: number, result: RunResult): RunResult {
    expect(result.code, result.stderr).to.equal(code)
    return result
  }

  async function writePolicy(threshold: number): Promise<void> {
    const policy = {
      trustRoots: {corp: {file: sigstore.trustedRoot}},
      keys: {alice: {file: '../alice.pub'}, bob: {file: '../bob.pub'}},
      rules: [
        {
          name: 'three',
          threshold,
          signers: [{keys: ['alice', 'bob']}, {keyless: {trustRoot: 'corp', issuer: ISSUER, identity: IDENTITY}}],
        },
      ],
    }
    await writeFile(sandbox.path('.atomctl', 'trust-policy.yaml'), JSON.stringify(policy))
  }

  const sign = (...flags: string[]): Promise<RunResult> => sandbox.atomctl(['sign', file, ...flags])
  const keyless = (): string[] => [
    '--keyless',
    '--signing-config',
    sigstore.signingConfigs[2],
    '--identity-token',
    identityToken(),
  ]
  const words = (text: string): string[] => /signature: "(.*)"/.exec(text)?.[1]?.split(' ') ?? []
  const writeWords = (chosen: readonly string[]): Promise<void> =>
    writeFile(sandbox.path(file), setScalar(complete, ['metadata', 'signature'], chosen.join(' ')))

  it('is refused until all of them did, each adding theirs', async () => {
    expectCode(10, await sign('--append', '--key', 'alice.key'))
    expectCode(0, await sign('--key', 'alice.key'))
    const alone = expectCode(12, await sandbox.atomctl(['verify', file]))
    expect(alone.stderr)
      .to.match(/1 of the 3 signatures/)
      .and.contain('--append')
    expectCode(7, await sign('--append', '--key', 'alice.key'))
    expect(expectCode(0, await sign('--append', '--key', 'bob.key')).stdout).to.contain('Signatures: 2')
    expectCode(12, await sandbox.atomctl(['push', file]))
    expectCode(0, await sign('--append', ...keyless()))
    expectCode(7, await sign('--append', ...keyless()))
    complete = await readFile(sandbox.path(file), 'utf8')
  })

  it('verifies, and verify, validate, inspect and explain name every signer', async () => {
    const {stdout} = expectCode(0, await sandbox.atomctl(['verify', file]))
    expect(stdout)
      .to.match(/Signed By: alice, key SHA256:/)
      .and.match(/Signed By: bob, key SHA256:/)
      .and.contain(`Signed By: ${IDENTITY} (issuer ${ISSUER})`)
      .and.match(/Signed At: 20/)
    expect((await sandbox.atomctl(['validate', file])).stdout).to.match(
      /Signed: YES \(key SHA256:\S+, key SHA256:\S+, by /,
    )
    expect((await sandbox.atomctl(['inspect', file])).stdout).to.match(/trusted: alice .*, bob .*, /)
    expect((await sandbox.atomctl(['trust-policy', 'explain', file])).stdout)
      .to.contain('signatures by 3 of')
      .and.contain(`accepted, signed by alice, bob, ${IDENTITY}`)
    expect((await sandbox.atomctl(['trust-policy', 'check'])).stdout)
      .to.contain('is sound')
      .and.not.contain('threshold')
  })

  it('is judged by a real cosign, signature by signature', async function () {
    if (cosign === undefined) return this.skip() // scripts/install-peers.sh installs it
    const payload = await sandbox.atomctl(['verify', file, '--print-payload'])
    await writeFile(sandbox.path('wpk.jcs.json'), payload.stdout)
    const print = (...which: string[]): Promise<RunResult> =>
      sandbox.atomctl(['verify', file, '--print-bundle', ...which])
    expect(expectCode(2, await print()).stderr)
      .to.match(/has 3 signatures/)
      .and.match(/2: SHA256:/)
    expectCode(6, await print('--signer', '4'))
    const byKey = (name: string): string[] => ['--key', `${name}.pub`, '--insecure-ignore-tlog']
    const byName = [
      '--trusted-root',
      sigstore.trustedRoot,
      '--certificate-identity',
      IDENTITY,
      '--certificate-oidc-issuer',
      ISSUER,
    ]
    const cases: [string, string[], number][] = [
      ['1', byKey('alice'), 0],
      ['2', byKey('bob'), 0],
      ['3', byName, 0],
      [IDENTITY, byName, 0],
      ['1', byKey('bob'), 1],
      ['2', byKey('mallory'), 1],
    ]
    for (const [which, trust, code] of cases) {
      await writeFile(sandbox.path('wpk.sigstore.json'), expectCode(0, await print('--signer', which)).stdout)
      const args = [
        'verify-blob-attestation',
        ...trust,
        '--type',
        PREDICATE,
        '--bundle',
        'wpk.sigstore.json',
        'wpk.jcs.json',
      ]
      const judged = await runCosign(cosign, args, sandbox.home)
      expect(judged.code === 0 ? 0 : 1, `${which} by ${trust[1]}: ${judged.output}`).to.equal(code)
    }
  })

  it('goes to the registry, comes back, runs; the registry hands out each signature', async () => {
    expectCode(0, await sandbox.atomctl(['push', file]))
    expect(expectCode(0, await sandbox.atomctl(['verify', ID])).stdout).to.match(/alice[\s\S]*bob/)
    expectCode(0, await sandbox.atomctl(['pull', ID, '-O', 'pulled.wpk.yaml']))
    expect(await readFile(sandbox.path('pulled.wpk.yaml'), 'utf8')).to.equal(complete)
    expectCode(0, await sandbox.atomctl(['run', ID, '--wait']))
    const token = /auth_token: "?([\w-]+)/.exec(await readFile(sandbox.path('.atomctl', 'config.yaml'), 'utf8'))?.[1]
    for (const [query, number] of [
      ['', '1'],
      ['?signature=2', '2'],
      ['?signature=3', '3'],
    ]) {
      const url = `${services.registryUrl}/workflows/${ID}/bundle${query}`
      const answer = await fetch(url, {headers: {authorization: `Bearer ${token}`}})
      const printed = await sandbox.atomctl(['verify', file, '--print-bundle', '--signer', number ?? ''])
      expect(await answer.json()).to.deep.equal(JSON.parse(printed.stdout))
    }
    const missing = await fetch(`${services.registryUrl}/workflows/${ID}/bundle?signature=4`, {
      headers: {authorization: `Bearer ${token}`},
    })
    expect(missing.status).to.equal(404)
  })

  it('is refused everywhere with one signature cut out, doubled or replaced', async () => {
    await writeFile(sandbox.path('strange.wpk.yaml'), await readFile(sandbox.path(file)))
    expectCode(0, await sandbox.atomctl(['sign', 'strange.wpk.yaml', '--key', 'mallory.key']))
    const [strange = ''] = words(await readFile(sandbox.path('strange.wpk.yaml'), 'utf8'))
    const [alice = '', bob = '', person = ''] = words(complete)
    for (const chosen of [
      [alice, bob],
      [alice, person],
      [person, bob],
      [alice, alice, bob],
      [alice, bob, strange],
    ]) {
      await writeWords(chosen)
      for (const args of [
        ['verify', file],
        ['push', file],
        ['run', file, '--dry-run'],
      ])
        expectCode(12, await sandbox.atomctl(args))
    }
    await writeWords([alice, bob, person])
    expect(await readFile(sandbox.path(file), 'utf8')).to.equal(complete)
  })

  it('is refused by both services, whatever the client thinks', async () => {
    const token = /auth_token: "?([\w-]+)/.exec(await readFile(sandbox.path('.atomctl', 'config.yaml'), 'utf8'))?.[1]
    const headers = {authorization: `Bearer ${token}`}
    const [alice = '', bob = ''] = words(complete)
    const short = setScalar(complete, ['metadata', 'signature'], `${alice} ${bob}`)
    const form = new FormData()
    form.set('file', new Blob([short]), 'hello.wpk.yaml')
    const upload = await fetch(`${services.registryUrl}/workflows`, {method: 'POST', body: form, headers})
    expect([upload.status, ((await upload.json()) as {code: string}).code]).to.deep.equal([400, 'SIGNER_UNTRUSTED'])
    const {parseYaml} = await import('@atomctl/wpk/document')
    const body = JSON.stringify({
      workflow_id: ID,
      wpk_content: parseYaml(Buffer.from(short), 'short').value,
      parameters: {},
    })
    const execute = await fetch(`${services.runtimeUrl}/execute`, {
      method: 'POST',
      body,
      headers: {...headers, 'content-type': 'application/json'},
    })
    expect([execute.status, ((await execute.json()) as {code: string}).code]).to.deep.equal([403, 'SIGNER_UNTRUSTED'])
  })

  it('takes no further signature once its content has changed', async () => {
    await writePackage(sandbox, {name: 'changed'})
    expectCode(0, await sandbox.atomctl(['sign', 'changed.wpk.yaml', '--key', 'alice.key']))
    await tamper(sandbox, 'changed.wpk.yaml')
    const before = await readFile(sandbox.path('changed.wpk.yaml'), 'utf8')
    const {stderr} = expectCode(11, await sandbox.atomctl(['sign', 'changed.wpk.yaml', '--append', '--key', 'bob.key']))
    expect(stderr).to.contain('changed after it was signed')
    expect(await readFile(sandbox.path('changed.wpk.yaml'), 'utf8')).to.equal(before)
  })

  it('is packed with a further signature, and a bundle of that signer beside the tarball', async () => {
    await writePolicy(2)
    const packed = await writePackage(sandbox, {name: 'packed'})
    expectCode(0, await sandbox.atomctl(['sign', packed, '--key', 'alice.key']))
    expectCode(0, await sandbox.atomctl(['pack', packed, '--sign', '--append', '--key', 'bob.key']))
    const {stdout} = expectCode(0, await sandbox.atomctl(['verify', 'packed-1.0.0.wpk.tar.gz']))
    expect(stdout)
      .to.match(/alice[\s\S]*bob[\s\S]*/)
      .and.contain('Bundle: ')
    expectCode(0, await sandbox.atomctl(['push', 'packed-1.0.0.wpk.tar.gz']))
    expectCode(0, await sandbox.atomctl(['pack', packed, '--sign', '--key', 'bob.key']))
    expectCode(12, await sandbox.atomctl(['verify', 'packed-1.0.0.wpk.tar.gz']))
  })

  it('is signed by many keys in batches', async () => {
    await mkdir(sandbox.path('many'))
    for (const name of ['one', 'two']) {
      await writePackage(sandbox, {name})
      await writeFile(sandbox.path('many', `${name}.wpk.yaml`), await readFile(sandbox.path(`${name}.wpk.yaml`)))
    }
    expectCode(0, await sandbox.atomctl(['batch', 'sign', 'many', '--key', 'alice.key']))
    expectCode(0, await sandbox.atomctl(['batch', 'sign', 'many', '--key', 'bob.key', '--append']))
    expect(expectCode(0, await sandbox.atomctl(['batch', 'verify', 'many'])).stdout).to.contain('signed by alice, bob')
  })
})
