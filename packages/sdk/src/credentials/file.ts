import {readFile, rm, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {type Environment, homeOf} from '../config/environment.ts'
import {AtomError} from '../errors.ts'
import {writeFileSafely} from '../files/write.ts'
import type {Credential} from './record.ts'

const LIMIT = 16 << 20

export function credentialsPath(environment: Environment): string {
  return join(homeOf(environment), 'credentials.json')
}

/**
 * Every login of this user; none without the file. Like ssh with a key, a file that others can read is refused.
 * @throws CREDENTIALS_INVALID
 */
export async function readCredentials(path: string): Promise<Credential[]> {
  const text = await readPrivate(path)
  if (text === undefined) return []
  const {credentialFile} = await import('./record.ts')
  const checked = credentialFile.safeParse(parse(text))
  if (checked.success) return checked.data.credentials
  // neither the value nor a cause: both would quote the file
  throw invalid(`${path} is damaged`, 'atomctl logout --all removes it, then log in again')
}

async function readPrivate(path: string): Promise<string | undefined> {
  try {
    const info = await stat(path)
    if (!info.isFile() || info.size > LIMIT) throw invalid(`${path} is not a file of logins`, `move ${path} away`)
    if (process.platform !== 'win32' && (info.mode & 0o077) !== 0) {
      throw invalid(`others may read or change ${path}`, `chmod 600 ${path}; and log in again if somebody did`)
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'CREDENTIALS_INVALID') throw error
    throw invalid(`${path} cannot be read: ${String(code)}`, `chmod 600 ${path}`)
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function invalid(message: string, hint: string): AtomError {
  return new AtomError('CREDENTIALS_INVALID', message, {hint})
}

/** Replaces the file in one step, mode 0600; with the last login gone the file goes too. @throws OUTPUT_FAILED */
export async function writeCredentials(path: string, credentials: readonly Credential[]): Promise<void> {
  if (credentials.length === 0) return rm(path, {force: true})
  const text = `${JSON.stringify({version: 1, credentials}, null, 2)}\n`
  await writeFileSafely(path, text, {mode: 0o600, directoryMode: 0o700})
}
