import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {writePackage} from '../support/packages.ts'
import {startServices, stopServices} from '../support/services.ts'
import {findCosign, runCosign} from './cosign.ts'
import {IDENTITY, identityToken, ISSUER, type LoopbackSigstore, startSigstore} from './sigstore/index.ts'

const PREDICATE = 'https://atomctl.dev/attestations/wpk/v1'
const SIGNER = ['--certificate-identity', IDENTITY, '--certificate-oidc-issuer', ISSUER]

describe('keyless signatures of a loopback Sigstore', function () {
  this.timeout(60_000)
  const cosign = findCosign()
  let sigstore: LoopbackSigstore
  let sandbox: Sandbox
  before(async () => {
    sigstore = await startSigstore()
    sandbox = await createSandbox()
    await writeFile(sandbox.path('blob.bin'), 'some bytes')
  })
  after(async () => {
    await sandbox[Symbol.asyncDispose]()
    await sigstore[Symbol.asyncDispose]()
  })

  const sign = (file: string, flags: readonly string[], env: Record<string, string> = {}): Promise<RunResult> =>
    sandbox.atomctl(['sign', file, '--keyless', ...flags], {env})
  const urls = (): string[] => ['--fulcio-url', sigstore.url, '--rekor-url', sigstore.url, '--tsa-url', sigstore.url]
  const expectGood = ({code, stderr}: RunResult): void => expect(code, stderr).to.equal(0) && undefined
  const verifyBlob = (file = 'blob.bin', flags: readonly string[] = SIGNER): Promise<RunResult> =>
    sandbox.atomctl([
      'verify',
      file,
      '--bundle',
      'blob.bin.sigstore.json',
      '--trusted-root',
      sigstore.trustedRoot,
      ...flags,
    ])
  const services: [string, () => string[]][] = [
    ['log (Rekor v1) and clock by their URLs', urls],
    ['log (Rekor v1) alone', () => urls().slice(0, 4)],
    ['clock alone', () => [...urls().slice(0, 2), ...urls().slice(4)]],
    ['Rekor v1 from a signing config', () => ['--signing-config', sigstore.signingConfigs[1]]],
    ['Rekor v2 from a signing config', () => ['--signing-config', sigstore.signingConfigs[2]]],
  ]
  for (const [what, flags] of services) {
    const hasLog = what !== 'clock alone'

    it(`a file signed with ${what} ${hasLog ? 'verifies here' : 'is refused: a log entry is wanted'}`, async () => {
      expectGood(await sign('blob.bin', ['--detached', '--identity-token', identityToken(), ...flags()]))
      const {code, stdout, stderr} = await verifyBlob()
      expect(code, stderr).to.equal(hasLog ? 0 : 12)
      if (hasLog)
        expect(stdout)
          .to.contain(`Signed By: ${IDENTITY} (issuer ${ISSUER})`)
          .and.match(/Signed At: 20/)
    })

    if (!hasLog) continue
    it(`cosign accepts the file and the package signed with ${what}`, async function () {
      if (cosign === undefined) return this.skip() // scripts/install-peers.sh installs it
      const token = ['--identity-token', identityToken(), ...flags()]
      expectGood(await sign('blob.bin', ['--detached', ...token]))
      const file = await writePackage(sandbox)
      expectGood(await sign(file, token))
      for (const [flag, output] of [
        ['--print-payload', 'wpk.jcs.json'],
        ['--print-bundle', 'wpk.sigstore.json'],
      ] as const)
        await writeFile(sandbox.path(output), (await sandbox.atomctl(['verify', file, flag])).stdout)
      const trust = [
        '--trusted-root',
        sigstore.trustedRoot,
        ...SIGNER,
        ...(what === 'clock alone' ? ['--use-signed-timestamps'] : []),
      ]
      const blob = await runCosign(
        cosign,
        ['verify-blob', ...trust, '--bundle', 'blob.bin.sigstore.json', 'blob.bin'],
        sandbox.home,
      )
      expect(blob.code, blob.output).to.equal(0)
      const attestation = [
        'verify-blob-attestation',
        ...trust,
        '--type',
        PREDICATE,
        '--bundle',
        'wpk.sigstore.json',
        'wpk.jcs.json',
      ]
      const judged = await runCosign(cosign, attestation, sandbox.home)
      expect(judged.code, judged.output).to.equal(0)
    })
  }

  for (const version of [1, 2] as const) {
    it(`what cosign signs with Rekor v${version} verifies here, and nothing else does`, async function () {
      if (cosign === undefined) return this.skip()
      const config = ['--signing-config', sigstore.signingConfigs[version], '--trusted-root', sigstore.trustedRoot]
      const args = [
        'sign-blob',
        '-y',
        ...config,
        '--identity-token',
        identityToken(),
        '--bundle',
        'blob.bin.sigstore.json',
        'blob.bin',
      ]
      const signed = await runCosign(cosign, args, sandbox.home)
      expect(signed.code, signed.output).to.equal(0)
      expectGood(await verifyBlob())
      await writeFile(sandbox.path('other.bin'), 'other bytes')
      expect((await verifyBlob('other.bin')).code).to.equal(11)
      expect(
        (await verifyBlob('blob.bin', ['--certificate-identity', `${IDENTITY}0`, ...SIGNER.slice(2)])).code,
      ).to.equal(12)
    })
  }

  it('an attestation that cosign makes verifies here, for the file it is about', async function () {
    if (cosign === undefined) return this.skip()
    await writeFile(sandbox.path('predicate.json'), '{"checked": true}')
    const config = ['--signing-config', sigstore.signingConfigs[2], '--identity-token', identityToken()]
    const about = ['--predicate', 'predicate.json', '--type', 'https://example.com/p/v1']
    const args = ['attest-blob', '-y', ...config, ...about, '--bundle', 'blob.bin.sigstore.json', 'blob.bin']
    const attested = await runCosign(cosign, args, sandbox.home)
    expect(attested.code, attested.output).to.equal(0)
    expectGood(await verifyBlob())
    await writeFile(sandbox.path('other.bin'), 'other bytes')
    expect((await verifyBlob('other.bin')).code).to.equal(11)
  })

  describe('of a package', () => {
    let file: string
    const policy = (identity: string, require = ''): string =>
      JSON.stringify({
        trustRoots: {corp: {file: sigstore.trustedRoot}},
        rules: [
          {
            name: 'releases',
            signers: [
              {keyless: {trustRoot: 'corp', issuer: ISSUER, identity, ...(require && {require: JSON.parse(require)})}},
            ],
          },
        ],
      })
    const verifyWith = async (text: string, subject = file): Promise<RunResult> => {
      await writeFile(sandbox.path('policy.yaml'), text)
      return sandbox.atomctl(['verify', subject, '--trust-policy', 'policy.yaml'])
    }
    before(async () => {
      file = await writePackage(sandbox, {name: 'keyless'})
      expectGood(await sign(file, ['--identity-token', identityToken(), ...urls()]))
    })

    it('are accepted by a rule for the identity, and say who signed and when', async () => {
      const {code, stdout, stderr} = await verifyWith(policy(IDENTITY))
      expect(code, stderr).to.equal(0)
      expect(stdout).to.contain(`Signed By: ${IDENTITY} (issuer ${ISSUER})`)
      expect(stdout)
        .to.match(/Signed At: .*Z/)
        .and.to.contain('Decided By: rule releases (strict)')
    })

    it('are accepted by a pattern, where * does not reach over a slash', async () => {
      const pattern = IDENTITY.replace('v1.0.0', '*')
      expect((await verifyWith(policy(pattern))).code).to.equal(0)
      expect((await verifyWith(policy('https://github.com/acme/*'))).code).to.equal(12)
    })

    const strangers: [string, string][] = [
      ['a part of the identity', IDENTITY.slice(0, -1)],
      ['a regular expression', '.*'],
      ['a dot for any character', IDENTITY.replace('github.com', 'githubxcom')],
    ]
    for (const [what, identity] of strangers) {
      it(`are refused by a rule for ${what}`, async () => {
        expect((await verifyWith(policy(identity))).code).to.equal(12)
      })
    }

    it('are refused without a rule, with the lines that would trust them', async () => {
      const refused = await verifyWith('default: {level: strict}\n')
      expect(refused.code).to.equal(12)
      const {keyless} = JSON.parse(/signers: \[(.*)\]/.exec(refused.stderr)?.[1] ?? '') as {keyless: object}
      expect(keyless).to.deep.equal({trustRoot: 'sigstore', identity: IDENTITY, issuer: ISSUER})
    })

    const demands: [string, object, number][] = [
      ['one log, two clocks and a certificate log, which it has', {tlog: 1, timestamps: 2, sct: 1}, 0],
      ['two logs', {tlog: 2}, 12],
      ['three clocks', {timestamps: 3}, 12],
      ['two certificate logs', {sct: 2}, 12],
    ]
    for (const [what, require, expected] of demands) {
      it(`a rule that requires ${what}: exit ${expected}`, async () => {
        const {code, stderr} = await verifyWith(policy(IDENTITY, JSON.stringify(require)))
        expect(code, stderr).to.equal(expected)
      })
    }

    it('need no log where the rule says so', async () => {
      const quiet = await writePackage(sandbox, {name: 'quiet'})
      expectGood(await sign(quiet, ['--identity-token', identityToken(), ...urls().slice(0, 2), ...urls().slice(4)]))
      expect((await verifyWith(policy(IDENTITY), quiet)).code).to.equal(12)
      expect((await verifyWith(policy(IDENTITY, '{"tlog": 0}'), quiet)).code).to.equal(0)
    })

    it('cannot do without any clock', async () => {
      const {code, stderr} = await verifyWith(policy(IDENTITY, '{"timestamps": 0}'))
      expect(code).to.equal(2)
      expect(stderr).to.contain('at least one timestamp')
    })

    it('are refused once the package is changed', async () => {
      const text = await readFile(sandbox.path(file), 'utf8')
      await writeFile(sandbox.path('changed.wpk.yaml'), text.replace('echo hello', 'echo evil'))
      expect((await verifyWith(policy(IDENTITY), 'changed.wpk.yaml')).code).to.equal(11)
    })

    it('verify by flags instead of a policy, for exactly that identity', async () => {
      const flags = ['--trusted-root', sigstore.trustedRoot]
      expectGood(await sandbox.atomctl(['verify', file, ...flags, ...SIGNER]))
      const other = ['--certificate-identity', IDENTITY, '--certificate-oidc-issuer', 'https://gitlab.com']
      expect((await sandbox.atomctl(['verify', file, ...flags, ...other])).code).to.equal(12)
      const pattern = ['--certificate-identity', 'https://github.com/*', '--certificate-oidc-issuer', ISSUER]
      expect((await sandbox.atomctl(['verify', file, ...flags, ...pattern])).code).to.equal(2)
    })

    it('are refused by another Sigstore', async () => {
      await using other = await startSigstore()
      const {code} = await sandbox.atomctl(['verify', file, '--trusted-root', other.trustedRoot, ...SIGNER])
      expect(code).to.equal(12)
    })

    it('are accepted by the registry and the runtime, whose policies say the same', async () => {
      await using other = await createSandbox()
      await mkdir(other.path('.atomctl'))
      await writeFile(other.path('.atomctl', 'trust-policy.yaml'), policy(IDENTITY))
      const packed = await writePackage(other, {name: 'shipped'})
      const config = ['--signing-config', sigstore.signingConfigs[2], '--identity-token', identityToken()]
      expectGood(await other.atomctl(['pack', packed, '--sign', '--keyless', ...config]))
      await startServices(other)
      try {
        expectGood(await other.atomctl(['push', 'shipped-1.0.0.wpk.tar.gz']))
        expect((await other.atomctl(['inspect', 'shipped-1.0.0'])).stdout).to.contain(`trusted: ${IDENTITY}`)
        expectGood(await other.atomctl(['run', 'shipped-1.0.0', '--wait']))
      } finally {
        await stopServices(other)
      }
    })

    it('show in validate whom they name', async () => {
      expect((await sandbox.atomctl(['validate', file])).stdout).to.contain(`Signed: YES (by ${IDENTITY})`)
    })
  })
})
