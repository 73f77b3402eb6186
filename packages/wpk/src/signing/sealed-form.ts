import {AtomError} from '../errors.ts'
import {decodeBase64, parsePem} from './pem.ts'

/** What cosign writes today, and what it wrote before; both hold the same thing. */
export const SEALED_LABEL = 'ENCRYPTED SIGSTORE PRIVATE KEY'
const LABELS: readonly string[] = [SEALED_LABEL, 'ENCRYPTED COSIGN PRIVATE KEY']

/** Parameters of scrypt (RFC 7914). */
export interface Cost {
  readonly N: number
  readonly r: number
  readonly p: number
}

export const COST: Cost = {N: 65536, r: 8, p: 1}
/** Every cost cosign ever wrote. A hostile key file must not choose how much memory and time opening it takes. */
const ACCEPTED_N: readonly unknown[] = [32768, 65536, 131072]
export const SALT_BYTES = 32
export const NONCE_BYTES = 24
const MAX_CIPHERTEXT_BYTES = 16 * 1024

/** An encrypted private key taken apart. */
export interface Sealed {
  readonly cost: Cost
  readonly salt: Buffer
  readonly nonce: Buffer
  readonly ciphertext: Buffer
}

/** Whether the text is a private key in cosign's encrypted form, judged by its label alone. */
export function isSealedKey(pem: string): boolean {
  return LABELS.some((label) => pem.includes(`-----BEGIN ${label}-----`))
}

/** Reads cosign's encrypted form. @throws KEY_INVALID */
export function parseSealed(pem: string): Sealed {
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
