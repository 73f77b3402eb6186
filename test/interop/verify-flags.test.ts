import {createSign, generateKeyPairSync, type KeyObject} from 'node:crypto'
import {writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'

const EMPTY_ROOT = '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
const WHO = ['--certificate-identity', 'me@example.com', '--certificate-oidc-issuer', 'https://accounts.example.com']

const pemOf = (key: KeyObject): string => key.export({type: 'spki', format: 'pem'}).toString()

describe('the flags of verify that name a signer', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
    const signature = createSign('sha256').update('some bytes').sign(privateKey, 'base64')
    const files: [string, string][] = [
      ['ed25519.pub', pemOf(generateKeyPairSync('ed25519').publicKey)],
      ['rsa1024.pub', pemOf(generateKeyPairSync('rsa', {modulusLength: 1024}).publicKey)],
      ['koblitz.pub', pemOf(generateKeyPairSync('ec', {namedCurve: 'secp256k1'}).publicKey)],
      ['blob.bin', 'some bytes'],
      ['other.bin', 'other bytes'],
      ['blob.sig', `${signature}\n`],
      ['cosign.pub', pemOf(publicKey)],
      ['bundle.json', '{}'],
      ['root.json', EMPTY_ROOT],
      ['no-root.json', '{"mediaType": "text/plain"}'],
      ['twice.json', EMPTY_ROOT.replace('{', '{"mediaType": "x", ')],
    ]
    for (const [name, content] of files) await writeFile(sandbox.path(name), content)
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const cases: [string, string[], number, RegExp][] = [
    ['a bundle without a signer', ['--bundle', 'bundle.json'], 2, /needs a signer/],
    ['an identity without an issuer', ['--bundle', 'bundle.json', ...WHO.slice(0, 2)], 2, /certificate-oidc-issuer/],
    ['an issuer without an identity', ['--bundle', 'bundle.json', ...WHO.slice(2)], 2, /certificate-identity/],
    ['an identity without a trusted root', ['--bundle', 'bundle.json', ...WHO], 2, /trusted root/],
    ['a trusted root alone', ['--bundle', 'bundle.json', '--trusted-root', 'root.json'], 2, /names no signer/],
    ['a key and an identity', ['--bundle', 'bundle.json', '--key', 'cosign.pub', ...WHO], 2, /--key/],
    [
      'a trusted root that is missing',
      ['--bundle', 'bundle.json', '--trusted-root', 'gone.json', ...WHO],
      2,
      /gone\.json does not exist/,
    ],
    [
      'a trusted root that is none',
      ['--bundle', 'bundle.json', '--trusted-root', 'no-root.json', ...WHO],
      2,
      /not a Sigstore trusted root/,
    ],
    [
      'a trusted root with a key twice',
      ['--bundle', 'bundle.json', '--trusted-root', 'twice.json', ...WHO],
      2,
      /occurs twice/,
    ],
    ['a bundle that is empty', ['--bundle', 'bundle.json', '--trusted-root', 'root.json', ...WHO], 11, /mediaType/],
    ['a bare signature without a key', ['--signature', 'blob.sig'], 2, /--key/],
    ['a key that nobody can check with, Ed25519', ['--signature', 'blob.sig', '--key', 'ed25519.pub'], 2, /ED25519/],
    ['an RSA key that is too short', ['--signature', 'blob.sig', '--key', 'rsa1024.pub'], 2, /RSA 1024/],
    ['a curve that nobody signs with', ['--signature', 'blob.sig', '--key', 'koblitz.pub'], 2, /secp256k1/],
    ['a bare signature that is none', ['--signature', 'bundle.json', '--key', 'cosign.pub'], 11, /base64/],
  ]
  for (const [what, flags, code, message] of cases) {
    it(`refuse ${what}`, async () => {
      const result = await sandbox.atomctl(['verify', 'blob.bin', ...flags])
      expect(result.code, result.stderr).to.equal(code)
      expect(result.stderr).to.match(message)
      expect(result.stdout).to.equal('')
    })
  }

  it('refuse a digest in the place of the file, and say why', async () => {
    const digest = `sha256:${'0'.repeat(64)}`
    for (const flags of [
      ['--bundle', 'bundle.json'],
      ['--signature', 'blob.sig'],
    ]) {
      const {code, stderr} = await sandbox.atomctl(['verify', digest, ...flags, '--key', 'cosign.pub'])
      expect(code, stderr).to.equal(2)
      expect(stderr).to.match(/is a digest: .* over the file itself/)
    }
  })

  it('accept a bare signature of the file and no other', async () => {
    const flags = ['--signature', 'blob.sig', '--key', 'cosign.pub']
    const good = await sandbox.atomctl(['verify', 'blob.bin', ...flags])
    expect(good.code, good.stderr).to.equal(0)
    expect((await sandbox.atomctl(['verify', 'other.bin', ...flags])).code).to.equal(11)
  })
})
