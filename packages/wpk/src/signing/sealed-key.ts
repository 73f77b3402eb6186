import {randomBytes} from 'node:crypto'
import {AtomError} from '../errors.ts'
import {deriveKey} from './key-derivation.ts'
import {formatPem} from './pem.ts'
import {COST, NONCE_BYTES, parseSealed, SALT_BYTES, SEALED_LABEL} from './sealed-form.ts'

/** Encrypts a PKCS#8 key as cosign does: scrypt, then NaCl secretbox, as JSON inside PEM. */
export async function sealKey(pkcs8: Uint8Array, password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES)
  const nonce = randomBytes(NONCE_BYTES)
  const [key, {xsalsa20poly1305}] = await Promise.all([deriveKey(password, salt, COST), loadCipher()])
  const ciphertext = Buffer.from(xsalsa20poly1305(key, nonce).encrypt(pkcs8))
  const json = {
    kdf: {name: 'scrypt', params: COST, salt: salt.toString('base64')},
    cipher: {name: 'nacl/secretbox', nonce: nonce.toString('base64')},
    ciphertext: ciphertext.toString('base64'),
  }
  return formatPem({label: SEALED_LABEL, bytes: Buffer.from(JSON.stringify(json))})
}

/** The PKCS#8 bytes of a sealed key. Throws KEY_INVALID for other files and KEY_PASSWORD when it does not open. */
export async function openKey(pem: string, password: string | undefined): Promise<Buffer> {
  const sealed = parseSealed(pem)
  if (password === undefined) {
    throw new AtomError('KEY_PASSWORD', 'the private key is encrypted and no password was given', {
      hint: 'export COSIGN_PASSWORD=…',
    })
  }
  const [key, {xsalsa20poly1305}] = await Promise.all([deriveKey(password, sealed.salt, sealed.cost), loadCipher()])
  try {
    return Buffer.from(xsalsa20poly1305(key, sealed.nonce).decrypt(sealed.ciphertext))
  } catch (cause) {
    throw new AtomError('KEY_PASSWORD', 'the private key does not open: wrong password or damaged file', {cause})
  }
}

/** Loaded while scrypt is at work on a thread of its own. */
function loadCipher(): Promise<typeof import('@noble/ciphers/salsa.js')> {
  return import('@noble/ciphers/salsa.js')
}
