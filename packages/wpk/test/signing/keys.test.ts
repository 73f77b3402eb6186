import {createPrivateKey, createPublicKey, generateKeyPairSync} from 'node:crypto'
import {expect} from 'chai'
import {adoptDerivation, beginDerivation} from '@atomctl/wpk/key-derivation'
import {
  generateKeyPair,
  importKeyPair,
  isSealedKey,
  keyFingerprint,
  keyHint,
  loadSigner,
  parsePublicKey,
  publicKeyOf,
} from '@atomctl/wpk/signing'
import {PASSWORD, catchError, expectError, rejection, testKey} from './fixtures.ts'

describe('key pairs', () => {
  it('are encrypted private keys in PEM with the public key beside them', async () => {
    const {privateKeyPem, publicKeyPem} = await testKey('alice')
    expect(privateKeyPem).to.match(/^-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n[\w+/=\n]+-----END/)
    expect(publicKeyPem).to.match(/^-----BEGIN PUBLIC KEY-----\n/)
    expect(isSealedKey(privateKeyPem)).to.equal(true)
    expect(isSealedKey(publicKeyPem)).to.equal(false)
    expect(await publicKeyOf(privateKeyPem, PASSWORD)).to.equal(publicKeyPem)
  })

  it('use the scrypt cost that cosign writes', async () => {
    const {kdf, cipher} = unseal((await testKey('alice')).privateKeyPem)
    expect(kdf.params).to.deep.equal({N: 65536, r: 8, p: 1})
    expect([kdf.name, cipher.name]).to.deep.equal(['scrypt', 'nacl/secretbox'])
  })

  it('open with an empty password and with one in any script', async () => {
    for (const password of ['', 'pä$$wörd 🔑']) {
      const {privateKeyPem, publicKeyPem} = await generateKeyPair(password)
      expect(await publicKeyOf(privateKeyPem, password)).to.equal(publicKeyPem)
    }
  })

  it('open with a derivation begun elsewhere only if it is the very same', async () => {
    const {privateKeyPem, publicKeyPem} = await generateKeyPair('password')
    const begun = beginDerivation(privateKeyPem, 'password')
    // a key that opens nothing shows whether it was taken
    const useless = {...begun, key: Promise.resolve(Buffer.alloc(32))}
    adoptDerivation(useless)
    expectError(await rejection(publicKeyOf(privateKeyPem, 'password')), 'KEY_PASSWORD', /does not open/)
    const others = [
      {...useless, password: 'other'},
      {...useless, salt: Buffer.alloc(32)},
      {...useless, cost: {...begun.cost, N: 32768}},
    ]
    for (const other of others) {
      adoptDerivation(other)
      expect(await publicKeyOf(privateKeyPem, 'password')).to.equal(publicKeyPem)
    }
    adoptDerivation(begun)
    expect(await publicKeyOf(privateKeyPem, 'password')).to.equal(publicKeyPem)
    expectError(await rejection(publicKeyOf(privateKeyPem, 'wrong')), 'KEY_PASSWORD', /wrong password/)
  })

  it('do not open with another password, which is told apart from a missing one', async () => {
    const {privateKeyPem} = await testKey('alice')
    expectError(await rejection(loadSigner(privateKeyPem, 'wrong')), 'KEY_PASSWORD', /wrong password/)
    expectError(await rejection(loadSigner(privateKeyPem, undefined)), 'KEY_PASSWORD', /no password/)
  })

  it('do not open after one byte of the ciphertext changed', async () => {
    const sealed = unseal((await testKey('alice')).privateKeyPem)
    const ciphertext = Buffer.from(sealed.ciphertext, 'base64')
    ciphertext[40] = (ciphertext[40] ?? 0) ^ 1
    const changed = reseal({...sealed, ciphertext: ciphertext.toString('base64')})
    expectError(await rejection(loadSigner(changed, PASSWORD)), 'KEY_PASSWORD')
  })

  it('are known by the digest of the public key', async () => {
    const {publicKeyPem, signer} = await testKey('alice')
    expect(keyHint(publicKeyPem))
      .to.match(/^[\w+/]{43}=$/)
      .and.to.equal(signer.keyHint)
    expect(keyFingerprint(publicKeyPem)).to.equal(`SHA256:${keyHint(publicKeyPem).slice(0, -1)}`)
  })

  const costs: [string, object][] = [
    ['a gigantic N', {N: 2 ** 30, r: 8, p: 1}],
    ['a tiny N', {N: 2, r: 8, p: 1}],
    ['another r', {N: 65536, r: 1024, p: 1}],
    ['another p', {N: 65536, r: 8, p: 64}],
    ['N as text', {N: '65536', r: 8, p: 1}],
    ['no parameters', {}],
  ]
  for (const [what, params] of costs) {
    it(`are refused before any work is done when a hostile file asks for ${what}`, async () => {
      const sealed = unseal((await testKey('alice')).privateKeyPem)
      const hostile = reseal({...sealed, kdf: {...sealed.kdf, params}})
      const started = performance.now()
      expectError(await rejection(loadSigner(hostile, PASSWORD)), 'KEY_INVALID', /scrypt cost/)
      expect(performance.now() - started).to.be.below(1000)
    })
  }

  const broken: [string, (pem: string) => string][] = [
    ['nothing', () => ''],
    ['no PEM', () => 'hello'],
    [
      'a public key',
      () => generateKeyPairSync('ec', {namedCurve: 'P-256'}).publicKey.export({type: 'spki', format: 'pem'}).toString(),
    ],
    ['two keys', (pem) => pem + pem],
    ['text before the key', (pem) => `evil\n${pem}`],
    ['labels that differ', (pem) => pem.replace('END ENCRYPTED SIGSTORE', 'END ENCRYPTED COSIGN')],
    ['a body that is no base64', (pem) => pem.replace(/\n\w{4}/, '\n=x=x')],
    ['a body that is no JSON', () => reseal('hello')],
    ['a body that is null', () => reseal(null)],
    ['another key derivation', (pem) => reseal({...unseal(pem), kdf: {...unseal(pem).kdf, name: 'argon2'}})],
    ['another cipher', (pem) => reseal({...unseal(pem), cipher: {...unseal(pem).cipher, name: 'none'}})],
    ['a short nonce', (pem) => reseal({...unseal(pem), cipher: {...unseal(pem).cipher, nonce: 'AAAA'}})],
    ['an empty ciphertext', (pem) => reseal({...unseal(pem), ciphertext: ''})],
    ['a megabyte of it', (pem) => pem.replace('\n', `\n${'A'.repeat(1 << 20)}`)],
  ]
  for (const [what, build] of broken) {
    it(`are refused when the private key file holds ${what}`, async () => {
      const {privateKeyPem} = await testKey('alice')
      expectError(await rejection(loadSigner(build(privateKeyPem), PASSWORD)), 'KEY_INVALID')
    })
  }

  it('are never quoted in an error', async () => {
    const {privateKeyPem} = await testKey('alice')
    const secret = privateKeyPem.split('\n')[3] ?? ''
    for (const pem of [privateKeyPem.replace('\n', '\n!'), `${privateKeyPem}x`, privateKeyPem.slice(0, -60)]) {
      const error = (await rejection(loadSigner(pem, 'hunter2'))) as Error
      expect(JSON.stringify([error.message, error.cause]))
        .to.not.contain(secret)
        .and.to.not.contain('hunter2')
    }
  })
})

describe('importing a key', () => {
  const exported: [string, () => string][] = [
    [
      'PKCS#8',
      () =>
        generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey.export({type: 'pkcs8', format: 'pem'}).toString(),
    ],
    [
      'SEC1',
      () =>
        generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey.export({type: 'sec1', format: 'pem'}).toString(),
    ],
  ]
  for (const [form, make] of exported) {
    it(`turns an unencrypted P-256 key in ${form} into one that signs`, async () => {
      const pem = make()
      const pair = await importKeyPair(pem, PASSWORD)
      const expected = createPublicKey(createPrivateKey(pem)).export({type: 'spki', format: 'pem'})
      expect((await loadSigner(pair.privateKeyPem, PASSWORD)).publicKeyPem)
        .to.equal(expected)
        .and.to.equal(pair.publicKeyPem)
    })
  }

  it('accepts RSA, as cosign does, but signing with it says which key is needed', async () => {
    const pem = generateKeyPairSync('rsa', {modulusLength: 2048})
      .privateKey.export({type: 'pkcs1', format: 'pem'})
      .toString()
    const {privateKeyPem} = await importKeyPair(pem, PASSWORD)
    const error = expectError(await rejection(loadSigner(privateKeyPem, PASSWORD)), 'KEY_INVALID', /P-256.*RSA 2048/)
    expect(error.hint).to.equal('atomctl keys generate')
  })

  const refused: [string, () => Promise<string> | string][] = [
    [
      'an RSA key of 1024 bits',
      () =>
        generateKeyPairSync('rsa', {modulusLength: 1024}).privateKey.export({type: 'pkcs8', format: 'pem'}).toString(),
    ],
    [
      'a curve cosign does not know',
      () =>
        generateKeyPairSync('ec', {namedCurve: 'secp256k1'})
          .privateKey.export({type: 'pkcs8', format: 'pem'})
          .toString(),
    ],
    [
      'a public key',
      () => generateKeyPairSync('ec', {namedCurve: 'P-256'}).publicKey.export({type: 'spki', format: 'pem'}).toString(),
    ],
    ['a key that is encrypted already', async () => (await testKey('alice')).privateKeyPem],
    ['damaged DER', () => '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n'],
    ['no key at all', () => 'hello'],
  ]
  for (const [what, make] of refused) {
    it(`refuses ${what}`, async () => {
      expectError(await rejection(importKeyPair(await make(), PASSWORD)), 'KEY_INVALID')
    })
  }
})

describe('reading a public key', () => {
  it('refuses a private key, so that none ends up in a trust policy', async () => {
    const pem = generateKeyPairSync('ec', {namedCurve: 'P-256'})
      .privateKey.export({type: 'pkcs8', format: 'pem'})
      .toString()
    expectError(
      catchError(() => parsePublicKey(pem)),
      'KEY_INVALID',
    )
    const {privateKeyPem} = await testKey('alice')
    expectError(
      catchError(() => parsePublicKey(privateKeyPem)),
      'KEY_INVALID',
    )
  })

  it('refuses what is no DER, though OpenSSL reads it: bytes behind the key, longer lengths', async () => {
    const {publicKeyPem} = await testKey('alice')
    const der = Buffer.from(publicKeyPem.replace(/-----[^-]+-----/g, ''), 'base64')
    for (const changed of [
      Buffer.concat([der, Buffer.of(0)]),
      Buffer.concat([Buffer.of(0x30, 0x81), der.subarray(1)]),
    ]) {
      const pem = `-----BEGIN PUBLIC KEY-----\n${changed.toString('base64')}\n-----END PUBLIC KEY-----\n`
      expect(createPublicKey(pem).asymmetricKeyType).to.equal('ec')
      expectError(
        catchError(() => parsePublicKey(pem)),
        'KEY_INVALID',
      )
    }
  })

  it('refuses another spelling of the same key, which would be another signer: a compressed point, a curve in numbers', async () => {
    const {publicKeyPem} = await testKey('alice')
    const key = createPublicKey(publicKeyPem)
    const {x, y} = key.export({format: 'jwk'})
    const head = key.export({type: 'spki', format: 'der'}).subarray(2, 23)
    const odd = (Buffer.from(y ?? '', 'base64url').at(-1) ?? 0) & 1
    const point = Buffer.from(x ?? '', 'base64url')
    const compressed = Buffer.concat([Buffer.of(0x30, 57), head, Buffer.from([3, 34, 0, 2 + odd]), point])
    const pem = `-----BEGIN PUBLIC KEY-----\n${compressed.toString('base64')}\n-----END PUBLIC KEY-----\n`
    expect(createPublicKey(pem).equals(key)).to.equal(true)
    const {publicKey: explicit} = generateKeyPairSync('ec', {namedCurve: 'P-256', paramEncoding: 'explicit'})
    for (const spelling of [pem, explicit.export({type: 'spki', format: 'pem'}).toString()]) {
      expectError(
        catchError(() => parsePublicKey(spelling)),
        'KEY_INVALID',
        /compressed, or its curve has no name/,
      )
    }
  })

  it('refuses two keys in one file', async () => {
    const {publicKeyPem} = await testKey('alice')
    expectError(
      catchError(() => parsePublicKey(publicKeyPem + publicKeyPem)),
      'KEY_INVALID',
    )
  })
})

interface SealedJson {
  kdf: {name: string; params: object; salt: string}
  cipher: {name: string; nonce: string}
  ciphertext: string
}

function unseal(pem: string): SealedJson {
  return JSON.parse(Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64').toString()) as SealedJson
}

function reseal(json: unknown): string {
  const body = Buffer.from(typeof json === 'string' ? json : JSON.stringify(json)).toString('base64')
  const label = 'ENCRYPTED SIGSTORE PRIVATE KEY'
  return `-----BEGIN ${label}-----\n${body.replace(/(.{64})/g, '$1\n').trimEnd()}\n-----END ${label}-----\n`
}
