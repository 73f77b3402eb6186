import {hash, randomBytes} from 'node:crypto'
import {constants, copyFile, link, readFile, rm, writeFile} from 'node:fs/promises'
import {AtomError} from '@atomctl/sdk/errors'
import {writeFileSafely} from '@atomctl/sdk/files'
import type {Layout} from './layout.ts'

const DIGEST_LINE = /^sha256:([0-9a-f]{64})$/
const MINIMUM_LENGTH = 16

/** A token that tells whose it is: names are what audit records show, and what tells two people apart. */
export interface NamedToken {
  readonly digest: string
  readonly name: string
  readonly role: Role
}

const ROLES = ['reader', 'publisher', 'operator', 'approver', 'admin'] as const
type Role = (typeof ROLES)[number]

/**
 * The tokens in a file as SHA-256 digests: one token a line, or its digest as `sha256:<hex>`, and after it
 * `name=ANN role=operator` where wanted; a bare one is an administrator's. `#` starts a comment.
 * @throws INPUT_UNREADABLE
 */
export async function readTokenDigests(file: string): Promise<(string | NamedToken)[]> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new AtomError('INPUT_UNREADABLE', `cannot read the token file ${file}`, {cause})
  })
  const lines = text.split('\n').map((line) => line.trim())
  const tokens = lines.filter((line) => line !== '' && !line.startsWith('#')).map((line) => readLine(line, file))
  if (tokens.length > 0) return tokens
  throw new AtomError('INPUT_UNREADABLE', `the token file ${file} holds no token`, {
    hint: `openssl rand -base64 32 > ${file}`,
  })
}

function readLine(line: string, file: string): string | NamedToken {
  const [token = '', ...settings] = line.split(/\s+/)
  const digest = digestOf(token, file)
  if (settings.length === 0) return digest
  const read = new Map(settings.map((setting) => splitSetting(setting, file)))
  const role = ROLES.find((known) => known === (read.get('role') ?? 'admin'))
  if (role) return {digest, name: read.get('name') ?? `token ${digest.slice(0, 8)}`, role}
  throw new AtomError('INPUT_UNREADABLE', `${file} names the role ${JSON.stringify(read.get('role'))}`, {
    hint: `write one of ${ROLES.join(', ')}`,
  })
}

function splitSetting(setting: string, file: string): [string, string] {
  const [, key, value] = /^(name|role)=([\w.@-]{1,64})$/.exec(setting) ?? []
  if (key !== undefined && value !== undefined) return [key, value]
  throw new AtomError('INPUT_UNREADABLE', `${file} holds a line with blanks that is no token with name= and role=`, {
    hint: 'write it like TOKEN name=ann role=operator',
  })
}

function digestOf(token: string, file: string): string {
  const digest = DIGEST_LINE.exec(token)?.[1]
  if (digest !== undefined) return digest
  if (token.length >= MINIMUM_LENGTH) return hash('sha256', token, 'hex')
  throw new AtomError('INPUT_UNREADABLE', `${file} holds a line that is no token: under 16 characters`, {
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
