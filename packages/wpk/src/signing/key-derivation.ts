import {scrypt} from 'node:crypto'
import {promisify} from 'node:util'
import {type Cost, parseSealed} from './sealed-form.ts'

/** A key being derived on a thread of its own, and what it is derived from. */
export interface Derivation {
  readonly password: string
  readonly salt: Buffer
  readonly cost: Cost
  readonly key: Promise<Buffer>
}

const deriveScrypt = promisify<string, Buffer, number, object, Buffer>(scrypt)

let begun: Derivation | undefined

/** Begins to derive the key that opens this private key file. @throws KEY_INVALID */
export function beginDerivation(pem: string, password: string): Derivation {
  const {salt, cost} = parseSealed(pem)
  const key = derive(password, salt, cost)
  key.catch(() => {}) // whoever asks for this key sees the error; nobody may
  return {password, salt, cost, key}
}

/** Has `deriveKey` take a derivation that was begun elsewhere, should it be asked for the very same. */
export function adoptDerivation(derivation: Derivation): void {
  begun = derivation
}

/** The 32 bytes that scrypt (RFC 7914) makes of a password: a third of a second by design. */
export function deriveKey(password: string, salt: Buffer, cost: Cost): Promise<Buffer> {
  if (begun && begun.password === password && begun.salt.equals(salt) && isSame(begun.cost, cost)) return begun.key
  return derive(password, salt, cost)
}

function derive(password: string, salt: Buffer, {N, r, p}: Cost): Promise<Buffer> {
  return deriveScrypt(password, salt, 32, {N, r, p, maxmem: 256 * N * r})
}

function isSame(left: Cost, right: Cost): boolean {
  return left.N === right.N && left.r === right.r && left.p === right.p
}
