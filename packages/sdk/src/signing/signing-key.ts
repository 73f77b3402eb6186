import type {AtomContext} from '../context.ts'
import {AtomError, isAtomError, optionsOf} from '../errors.ts'
import {readInput} from '../files/index.ts'
import {anchor} from '../trust.ts'
import type {Signer} from '@atomctl/wpk/signing'
import {askSecret} from '../prompt/index.ts'

const KEY_LIMIT = 64 * 1024
const DEFAULT_KEY = 'cosign.key'

/** What reading a private key needs of the command. */
export interface KeyAccess {
  readonly atom: AtomContext
  /** Whether a password can be asked for. */
  readonly interactive: boolean
}

/** The private key file: `--key`, then ATOMCTL_KEY, then `signing_key` of the configuration, then ./cosign.key. */
export function signingKeyPath({configuration}: AtomContext): string {
  const setting = configuration.get('signing_key')
  return setting ? anchor(String(setting.value), setting.origin) : DEFAULT_KEY
}

/**
 * Opens the signing key in force.
 * @throws INPUT_MISSING, INPUT_UNREADABLE, KEY_INVALID, KEY_PASSWORD, INPUT_REQUIRED
 */
export async function loadSigningKey(access: KeyAccess): Promise<Signer> {
  const open = await findSigningKey(access)
  return open()
}

/**
 * Begins to open the signing key, which takes a tenth of a second and more on a thread of its own by design (scrypt),
 * and resolves when it has begun: the caller then reads what is to be signed. Nothing begins early when a password has
 * to be asked for: first the files must be found good. Errors come from the function that is returned, in the order
 * they would have come.
 */
export async function openSigningKey(access: KeyAccess): Promise<() => Promise<Signer>> {
  if (access.atom.environment['COSIGN_PASSWORD'] === undefined) return () => loadSigningKey(access)
  const open = await findSigningKey(access).catch((error: unknown) => () => Promise.reject<Signer>(error))
  const signer = open()
  signer.catch(() => {}) // whoever awaits it sees the error; nobody may, when a file is bad
  return () => signer
}

/** Reads the key file and its password; what is returned starts to open it when it is called, not later. */
async function findSigningKey(access: KeyAccess): Promise<() => Promise<Signer>> {
  const path = signingKeyPath(access.atom)
  const pem = await readKeyFile(path)
  const {loadSigner} = await import('@atomctl/wpk/signing')
  const password = await naming(path, async () => passwordFor(pem, path, access))
  return () => naming(path, () => loadSigner(pem, password))
}

/** Text of a key file. @throws INPUT_MISSING saying how to get a key; KEY_INVALID for a file that cannot be one. */
export async function readKeyFile(path: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(await readInput(path, KEY_LIMIT))
  } catch (error) {
    if (isAtomError(error) && error.code === 'INPUT_MISSING') {
      throw new AtomError('INPUT_MISSING', `the key ${path} does not exist`, {
        hint: 'name one with --key FILE, or make one: atomctl keys generate',
      })
    }
    if (isAtomError(error) && error.code !== 'WPK_UNREADABLE') throw error
    throw new AtomError('KEY_INVALID', `${path} is not a key file`, {hint: 'atomctl keys generate', cause: error})
  }
}

/** The password of an encrypted private key; undefined for text that is none, whose reader says what is wrong. */
export async function passwordFor(pem: string, path: string, access: KeyAccess): Promise<string | undefined> {
  const {isSealedKey} = await import('@atomctl/wpk/signing')
  return isSealedKey(pem) ? readPassword(`Password for ${path}`, access) : undefined
}

/** COSIGN_PASSWORD (an empty one is a password too), else a question. @throws INPUT_REQUIRED */
export async function readPassword(question: string, {atom, interactive}: KeyAccess): Promise<string> {
  const given = atom.environment['COSIGN_PASSWORD']
  if (given !== undefined) return given
  if (interactive) return askSecret(question)
  throw new AtomError(
    'INPUT_REQUIRED',
    'the password of the private key is needed and there is no terminal to ask on',
    {
      hint: 'set COSIGN_PASSWORD in the environment; it may be empty',
    },
  )
}

/** The password for a new private key, asked for twice where it is asked for. @throws INPUT_REQUIRED, KEY_PASSWORD */
export async function readNewPassword(path: string, access: KeyAccess): Promise<string> {
  const password = await readPassword(`New password for ${path} (may be empty)`, access)
  if (access.atom.environment['COSIGN_PASSWORD'] !== undefined) return password
  if ((await readPassword('The same again', access)) === password) return password
  throw new AtomError('KEY_PASSWORD', 'the two passwords differ; nothing was written')
}

const HINTS = {
  KEY_PASSWORD: 'check COSIGN_PASSWORD, or unset it to be asked',
  KEY_INVALID: "atomctl keys generate   # makes a key pair in cosign's format",
} as const

/** Runs work on a key so that its errors say which file. */
export async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isAtomError(error) || !error.code.startsWith('KEY_')) throw error
    const hint = error.hint ?? HINTS[error.code as keyof typeof HINTS]
    throw new AtomError(error.code, `${path}: ${error.message}`, {...optionsOf(error), hint})
  }
}
