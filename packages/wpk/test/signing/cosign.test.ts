import {execFile} from 'node:child_process'
import {createReadStream, readFileSync} from 'node:fs'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {documentMember, packArchive} from '@atomctl/wpk/archive'
import {generateKeyPair, loadSigner, payloadOf, publicKeyOf, signDocument, signFile} from '@atomctl/wpk/signing'
import {verifyArtifact} from '@atomctl/wpk/trust'
import {bytesOf} from '../archive/fixtures.ts'
import {
  PASSWORD,
  documentOf,
  expectError,
  fileOf,
  findCosign,
  rejection,
  scratchDirectory,
  testKey,
} from './fixtures.ts'

const run = promisify(execFile)

describe('interoperation with a real cosign', function () {
  this.timeout(60_000)
  const cosignFile = findCosign()
  const scratch = scratchDirectory()

  if (cosignFile === undefined) {
    it('needs cosign, which is not on this machine: bash scripts/install-peers.sh .peers', function () {
      this.skip()
    })
    return
  }

  const cosign = async (...args: string[]): Promise<{stdout: string; stderr: string}> =>
    run(cosignFile, args, {cwd: scratch.path('.'), env: {...process.env, COSIGN_PASSWORD: PASSWORD}})

  const refusal = async (...args: string[]): Promise<unknown> => rejection(cosign(...args))

  const ATTESTATION = ['verify-blob-attestation', '--insecure-ignore-tlog', '--type']
  const PREDICATE = 'https://atomctl.dev/attestations/wpk/v1'

  it('cosign verifies our embedded signature, and refuses it for another payload, type or key', async () => {
    const alice = await testKey('alice')
    const files = [fileOf('README.md', '# hi\n')]
    const provenance = {
      builder: 'local',
      builtAt: '2026-06-01T12:00:00Z',
      source: {commit: 'a'.repeat(40), dirty: false},
    }
    const {bundle, document} = await signDocument(documentOf(), alice.signer, {files, provenance})
    scratch.write('alice.pub', alice.publicKeyPem)
    scratch.write('bob.pub', (await testKey('bob')).publicKeyPem)
    scratch.write('wpk.sigstore.json', JSON.stringify(bundle))
    scratch.write('wpk.jcs.json', payloadOf(document.value))
    scratch.write('other.json', '{}')
    const check = ['--bundle', 'wpk.sigstore.json']
    const {stderr} = await cosign(...ATTESTATION, PREDICATE, '--key', 'alice.pub', ...check, 'wpk.jcs.json')
    expect(stderr).to.contain('Verified OK')
    expect(await refusal(...ATTESTATION, PREDICATE, '--key', 'alice.pub', ...check, 'other.json')).to.be.an('error')
    expect(await refusal(...ATTESTATION, 'slsaprovenance1', '--key', 'alice.pub', ...check, 'wpk.jcs.json')).to.be.an(
      'error',
    )
    expect(await refusal(...ATTESTATION, PREDICATE, '--key', 'bob.pub', ...check, 'wpk.jcs.json')).to.be.an('error')
  })

  it('cosign verifies our detached signature of a tarball, and refuses it for another one', async () => {
    const {signer, publicKeyPem} = await testKey('alice')
    const tarball = scratch.write('x.wpk.tar.gz', await bytesOf(packArchive([documentMember(documentOf().bytes)])))
    const bundle = await signFile(() => createReadStream(tarball), signer)
    scratch.write('x.wpk.tar.gz.sigstore.json', JSON.stringify(bundle))
    scratch.write('alice.pub', publicKeyPem)
    const check = [
      'verify-blob',
      '--key',
      'alice.pub',
      '--insecure-ignore-tlog',
      '--bundle',
      'x.wpk.tar.gz.sigstore.json',
    ]
    expect((await cosign(...check, 'x.wpk.tar.gz')).stderr).to.contain('Verified OK')
    scratch.write('y.wpk.tar.gz', Buffer.concat([readFileSync(tarball), Buffer.from('x')]))
    expect(await refusal(...check, 'y.wpk.tar.gz')).to.be.an('error')
  })

  it('we verify what cosign signs with our key, and refuse it for other bytes', async () => {
    const pair = await generateKeyPair(PASSWORD)
    scratch.write('ours.key', pair.privateKeyPem)
    const blob = scratch.write('blob.txt', 'hello\n')
    await signBlob('ours.key', 'blob.txt', 'blob.sigstore.json')
    const bundle: unknown = JSON.parse(readFileSync(scratch.path('blob.sigstore.json'), 'utf8'))
    const {signers} = await verifyArtifact(bundle, () => createReadStream(blob), pair)
    expect(signers).to.have.length(1)
    const other = scratch.write('other.txt', 'hullo\n')
    expectError(await rejection(verifyArtifact(bundle, () => createReadStream(other), pair)), 'WPK_TAMPERED')
  })

  it('we read the keys that cosign makes and sign with them, and cosign verifies that', async () => {
    await cosign('generate-key-pair', '--output-key-prefix', 'theirs')
    const privateKeyPem = readFileSync(scratch.path('theirs.key'), 'utf8')
    expect(await publicKeyOf(privateKeyPem, PASSWORD)).to.equal(readFileSync(scratch.path('theirs.pub'), 'utf8'))
    const blob = scratch.write('mine.txt', 'hello\n')
    const bundle = await signFile(() => createReadStream(blob), await loadSigner(privateKeyPem, PASSWORD))
    scratch.write('mine.sigstore.json', JSON.stringify(bundle))
    const check = ['verify-blob', '--key', 'theirs.pub', '--insecure-ignore-tlog', '--bundle', 'mine.sigstore.json']
    expect((await cosign(...check, 'mine.txt')).stderr).to.contain('Verified OK')
  })

  it('cosign shows the same public key for a key pair of ours', async () => {
    const {privateKeyPem, publicKeyPem} = await testKey('alice')
    scratch.write('alice.key', privateKeyPem)
    expect((await cosign('public-key', '--key', 'alice.key')).stdout.trim()).to.equal(publicKeyPem.trim())
  })

  /** cosign 3 wants to be told that there is no transparency log; older ones take a flag. */
  async function signBlob(key: string, file: string, bundle: string): Promise<void> {
    const config = {mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json'}
    scratch.write('signing-config.json', JSON.stringify(config))
    const args = ['sign-blob', '--key', key, '--bundle', bundle, '--yes']
    const modern = await rejection(cosign(...args, '--signing-config', 'signing-config.json', file))
    if (modern) await cosign(...args, '--new-bundle-format', '--tlog-upload=false', file)
  }
})
