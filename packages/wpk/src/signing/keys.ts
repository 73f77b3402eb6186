import {createPrivateKey, createPublicKey, generateKeyPair as generate, type KeyObject} from 'node:crypto'
import {promisify} from 'node:util'
import {AtomError} from '../errors.ts'
import {parsePem} from './pem.ts'
import {describeKey, publicKeyPemOf} from './public-key.ts'
import {openKey, sealKey} from './sealed-key.ts'

/** A key pair as its two files hold it: cosign's encrypted private key, and the SPKI public key. */
export interface KeyPair {
  readonly privateKeyPem: string
  readonly publicKeyPem: string
}

const generateAsync = promisify(generate)

/** A new ECDSA P-256 key pair in cosign's format. */
export async function generateKeyPair(password: string): Promise<KeyPair> {
  const {privateKey} = await generateAsync('ec', {namedCurve: 'P-256'})
  return sealPair(privateKey, password)
}

/**
 * Turns an unencrypted PEM key (PKCS#8, SEC1 or PKCS#1) into cosign's encrypted form, for the kinds that cosign
 * imports: EC P-256, P-384, P-521, RSA from 2048 bits, Ed25519. Throws KEY_INVALID for everything else.
 */
export async function importKeyPair(pem: string, password: string): Promise<KeyPair> {
  const {label, bytes} = parsePem(pem)
  const type = IMPORTED.get(label)
  if (type === undefined) {
    throw new AtomError('KEY_INVALID', `"${label}" cannot be imported: not an unencrypted private key`, {
      hint: 'openssl pkcs8 -topk8 -nocrypt -in FILE   # writes one that can',
    })
  }
  const key = parsePrivateKey(bytes, type)
  if (!isImportable(key)) throw new AtomError('KEY_INVALID', `${describeKey(key)} keys cannot be imported`, USE_P256)
  return sealPair(key, password)
}

/** The public half of an encrypted private key, of any kind. Throws KEY_INVALID or KEY_PASSWORD. */
export async function publicKeyOf(privateKeyPem: string, password: string | undefined): Promise<string> {
  return publicKeyPemOf(createPublicKey(await loadPrivateKey(privateKeyPem, password)))
}

/** Decrypts a private key in cosign's format. Throws KEY_INVALID or KEY_PASSWORD. */
export async function loadPrivateKey(privateKeyPem: string, password: string | undefined): Promise<KeyObject> {
  return parsePrivateKey(await openKey(privateKeyPem, password), 'pkcs8')
}

type Encoding = 'pkcs8' | 'sec1' | 'pkcs1'

const IMPORTED: ReadonlyMap<string, Encoding> = new Map([
  ['PRIVATE KEY', 'pkcs8'],
  ['EC PRIVATE KEY', 'sec1'],
  ['RSA PRIVATE KEY', 'pkcs1'],
])

const USE_P256 = {hint: 'atomctl keys generate   # makes an ECDSA P-256 key'}
const CURVES: readonly unknown[] = ['prime256v1', 'secp384r1', 'secp521r1']

function isImportable(key: KeyObject): boolean {
  const {namedCurve, modulusLength = 0} = key.asymmetricKeyDetails ?? {}
  if (key.asymmetricKeyType === 'ec') return CURVES.includes(namedCurve)
  if (key.asymmetricKeyType === 'rsa') return modulusLength >= 2048
  return key.asymmetricKeyType === 'ed25519'
}

function parsePrivateKey(der: Buffer, type: Encoding): KeyObject {
  try {
    return createPrivateKey({key: der, format: 'der', type})
  } catch {
    throw new AtomError('KEY_INVALID', `the private key cannot be read as ${type.toUpperCase()}`, USE_P256)
  }
}

async function sealPair(privateKey: KeyObject, password: string): Promise<KeyPair> {
  const pkcs8 = privateKey.export({type: 'pkcs8', format: 'der'})
  const publicKeyPem = publicKeyPemOf(createPublicKey(privateKey))
  return {privateKeyPem: await sealKey(pkcs8, password), publicKeyPem}
}
