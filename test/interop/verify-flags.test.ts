import {createSign, generateKeyPairSync} from 'node:crypto'
import {writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'

const EMPTY_ROOT = '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}'
const WHO = ['--certificate-identity', 'me@example.com', '--certificate-oidc-issuer', 'https://accounts.example.com']

describe('the flags of verify that name a signer', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
    const signature = createSign('sha256').update('some bytes').sign(privateKey, 'base64')
    const files: [string, string][] = [
      ['blob.bin', 'some bytes'],
      ['other.bin', 'other bytes'],
      ['blob.sig', `${signature}\n`],
      ['cosign.pub', publicKey.export({type: 'spki', format: 'pem'}).toString()],
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

  it('accept a bare signature of the file and no other', async () => {
    const flags = ['--signature', 'blob.sig', '--key', 'cosign.pub']
    const good = await sandbox.atomctl(['verify', 'blob.bin', ...flags])
    expect(good.code, good.stderr).to.equal(0)
    expect((await sandbox.atomctl(['verify', 'other.bin', ...flags])).code).to.equal(11)
  })
})
