import {hash, randomBytes} from 'node:crypto'
import {constants, copyFile, link, readFile, rm, writeFile} from 'node:fs/promises'
import {AtomError} from '@atomctl/sdk/errors'
import {writeFileSafely} from '@atomctl/sdk/files'
import type {Layout} from './layout.ts'

const DIGEST_LINE = /^sha256:([0-9a-f]{64})$/
const MINIMUM_LENGTH = 16

/**
 * The SHA-256 digests of the tokens in a file: one token a line, or its digest as `sha256:<hex>`; `#` starts a
 * comment. @throws INPUT_UNREADABLE
 */
export async function readTokenDigests(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AtomError('INPUT_UNREADABLE', `cannot read the token file ${file}`, {cause})
  })
  const lines = text.split('\n').map((line) => line.trim())
  const digests = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => digestOf(line, file))
  if (digests.length > 0) return digests
  throw new AtomError('INPUT_UNREADABLE', `the token file ${file} holds no token`, {
    hint: `openssl rand -base64 32 > ${file}`,
  })
}

function digestOf(line: string, file: string): string {
  const digest = DIGEST_LINE.exec(line)?.[1]
  if (digest !== undefined) return digest
  if (line.length >= MINIMUM_LENGTH && !/\s/.test(line)) return hash('sha256', line, 'hex')
  throw new AtomError('INPUT_UNREADABLE', `${file} holds a line that is no token: blanks, or under 16 characters`, {
    hint: `openssl rand -base64 32 > ${file}`,
  })
}

/**
 * The token of the background services, made on first use. It stays in its 0600 file; what the services read is the
 * file with its digest.
 */
export async function ensureToken({tokenFile, digestFile}: Layout): Promise<string> {
  const token = (await readToken(tokenFile)) ?? (await createToken(tokenFile))
  await writeFileSafely(digestFile, `sha256:${hash('sha256', token, 'hex')}\n`, {mode: 0o600})
  return token
}

async function readToken(file: string): Promise<string | undefined> {
  const text = (await readFile(file, 'utf8').catch(() => '')).trim()
  return /^atom_[\w-]{43}$/.test(text) ? text : undefined
}

// Of two that start at once, `link` lets one token win, complete from its first moment.
async function createToken(file: string): Promise<string> {
  const draft = `${file}.${process.pid}`
  await writeFile(draft, `atom_${randomBytes(32).toString('base64url')}\n`, {mode: 0o600})
  try {
    // some file systems have no hard links
    await link(draft, file).catch(() => copyFile(draft, file, constants.COPYFILE_EXCL))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(draft, {force: true})
  }
  const token = await readToken(file)
  if (token !== undefined) return token
  throw new AtomError('OUTPUT_FAILED', `${file} holds no token of atomctl`, {hint: `rm ${file}`})
}
