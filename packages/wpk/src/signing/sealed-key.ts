import {randomBytes, scrypt} from 'node:crypto'
import {promisify} from 'node:util'
import {xsalsa20poly1305} from '@noble/ciphers/salsa.js'
import {AtomError} from '../errors.ts'
import {decodeBase64, formatPem, parsePem} from './pem.ts'

/** What cosign writes today, and what it wrote before; both hold the same thing. */
const LABEL = 'ENCRYPTED SIGSTORE PRIVATE KEY'
const LABELS: readonly string[] = [LABEL, 'ENCRYPTED COSIGN PRIVATE KEY']

interface Cost {
  readonly N: number
  readonly r: number
  readonly p: number
}

const COST: Cost = {N: 65536, r: 8, p: 1}
/** Every cost cosign ever wrote. A hostile key file must not choose how much memory and time opening it takes. */
const ACCEPTED_N: readonly unknown[] = [32768, 65536, 131072]
const SALT_BYTES = 32
const NONCE_BYTES = 24
const MAX_CIPHERTEXT_BYTES = 16 * 1024

interface Sealed {
  readonly cost: Cost
  readonly salt: Buffer
  readonly nonce: Buffer
  readonly ciphertext: Buffer
}

const deriveScrypt = promisify<string, Buffer, number, object, Buffer>(scrypt)

/** Whether the text is a private key in cosign's encrypted form, judged by its label alone. */
export function isSealedKey(pem: string): boolean {
  return LABELS.some((label) => pem.includes(`-----BEGIN ${label}-----`))
}

/** Encrypts a PKCS#8 key as cosign does: scrypt, then NaCl secretbox, as JSON inside PEM. */
export async function sealKey(pkcs8: Uint8Array, password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const key = await deriveKey(password, salt, COST)
  const ciphertext = Buffer.from(xsalsa20poly1305(key, nonce).encrypt(pkcs8))
  const json = {
    kdf: {name: 'scrypt', params: COST, salt: salt.toString('base64')},
    cipher: {name: 'nacl/secretbox', nonce: nonce.toString('base64')},
    ciphertext: ciphertext.toString('base64'),
  }
  return formatPem({label: LABEL, bytes: Buffer.from(JSON.stringify(json))})
}

/** The PKCS#8 bytes of a sealed key. Throws KEY_INVALID for other files and KEY_PASSWORD when it does not open. */
export async function openKey(pem: string, password: string | undefined): Promise<Buffer> {
  const sealed = parseSealed(pem)
  if (password === undefined) {
    throw new AtomError('KEY_PASSWORD', 'the private key is encrypted and no password was given', {
      hint: 'export COSIGN_PASSWORD=…',
    })
  }
  const key = await deriveKey(password, sealed.salt, sealed.cost)
  try {
    return Buffer.from(xsalsa20poly1305(key, sealed.nonce).decrypt(sealed.ciphertext))
  } catch (cause) {
    throw new AtomError('KEY_PASSWORD', 'the private key does not open: wrong password or damaged file', {cause})
  }
}

function deriveKey(password: string, salt: Buffer, {N, r, p}: Cost): Promise<Buffer> {
  return deriveScrypt(password, salt, 32, {N, r, p, maxmem: 256 * N * r})
}

function parseSealed(pem: string): Sealed {
  const {label, bytes} = parsePem(pem)
  if (!LABELS.includes(label)) {
    throw new AtomError('KEY_INVALID', `"${label}" is not an encrypted private key`, {
      hint: 'atomctl keys import FILE   # turns an unencrypted PEM key into one',
    })
  }
  const sealed = sealedOf(parseJson(bytes))
  if (!sealed) throw new AtomError('KEY_INVALID', 'the encrypted private key has an unknown form or scrypt cost')
  return sealed
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined // the parser's message would quote the file
  }
}

type Loose = {readonly [key: string]: unknown} | null | undefined

function sealedOf(json: unknown): Sealed | undefined {
  const {kdf, cipher, ciphertext} = (json ?? {}) as {kdf?: Loose; cipher?: Loose; ciphertext?: unknown}
  if (kdf?.['name'] !== 'scrypt' || cipher?.['name'] !== 'nacl/secretbox') return undefined
  const cost = costOf(kdf['params'])
  const salt = bytesOf(kdf['salt'], SALT_BYTES, SALT_BYTES)
  const nonce = bytesOf(cipher['nonce'], NONCE_BYTES, NONCE_BYTES)
  const sealed = bytesOf(ciphertext, 17, MAX_CIPHERTEXT_BYTES)
  return cost && salt && nonce && sealed && {cost, salt, nonce, ciphertext: sealed}
}

function costOf(params: unknown): Cost | undefined {
  const {N, r, p} = (params ?? {}) as {[key in keyof Cost]?: unknown}
  return ACCEPTED_N.includes(N) && r === COST.r && p === COST.p ? {N: N as number, r: COST.r, p: COST.p} : undefined
}

function bytesOf(text: unknown, least: number, most: number): Buffer | undefined {
  const bytes = typeof text === 'string' ? decodeBase64(text) : undefined
  return bytes && bytes.length >= least && bytes.length <= most ? bytes : undefined
}
