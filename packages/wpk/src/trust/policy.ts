import type {KeyObject} from 'node:crypto'
import {readFile, stat} from 'node:fs/promises'
import {dirname, resolve} from 'node:path'
import {AtomError} from '../errors.ts'
import {hintOf, parsePublicKey} from '../signing/public-key.ts'
import type {Level} from './levels.ts'
import {type ParsedPolicy, parsePolicy, policyError} from './parse.ts'
import type {TrustRule} from './schema.ts'
import type {TrustRoot} from './trust-root.ts'

/** A public key that the policy knows. Being known does not make it trusted: a rule must name it. */
export interface TrustedKey {
  readonly name: string
  readonly publicKey: KeyObject
  /** base64 of the SHA-256 of the SPKI DER. */
  readonly hint: string
  readonly notAfter: Date | undefined
  readonly revoked: boolean
}

/** A trust policy with its keys loaded; nothing is read from disk after that. */
export interface TrustPolicy {
  /** The file it came from, for messages; undefined for the built-in one. */
  readonly source: string | undefined
  readonly default: {readonly level: Level}
  readonly rules: readonly TrustRule[]
  /** By name. */
  readonly keys: ReadonlyMap<string, TrustedKey>
  /** By hint; a Map, so that a hint such as `__proto__` finds nothing. */
  readonly keysByHint: ReadonlyMap<string, TrustedKey>
  /** By name: the trusted roots that keyless signers of the rules name. */
  readonly trustRoots?: ReadonlyMap<string, TrustRoot>
}

/** What applies where the user has no policy: strict, and nobody is trusted. */
export function defaultTrustPolicy(): TrustPolicy {
  return {source: undefined, default: {level: 'strict'}, rules: [], keys: new Map(), keysByHint: new Map()}
}

/** Larger than a policy or a public key ever is. */
const MAX_FILE_BYTES = 1024 * 1024

/**
 * Loads a trust policy and the public keys and trusted roots it names (paths relative to the policy file).
 * Throws TRUST_POLICY_INVALID with file, line and column of what is wrong.
 */
export async function loadTrustPolicy(file: string): Promise<TrustPolicy> {
  const parsed = parsePolicy(await readSmallFile(file, file), file)
  const keys = new Map<string, TrustedKey>()
  const keysByHint = new Map<string, TrustedKey>()
  for (const name of Object.keys(parsed.policy.keys)) {
    const key = await loadKey(parsed, name)
    const twin = keysByHint.get(key.hint)
    if (twin) throw policyError(parsed, `keys.${name}`, `holds the same key as ${twin.name}`)
    keys.set(name, key)
    keysByHint.set(key.hint, key)
  }
  const {default: fallback, rules} = parsed.policy
  return {source: file, default: fallback, rules, keys, keysByHint, trustRoots: await loadTrustRoots(parsed)}
}

/** Only what a rule uses: a policy of keys alone must not wait for sigstore-js to load. */
async function loadTrustRoots(parsed: ParsedPolicy): Promise<Map<string, TrustRoot>> {
  const {rules, trustRoots} = parsed.policy
  const signers = rules.flatMap((rule) => rule.signers)
  const names = new Set(signers.flatMap((signer) => ('keyless' in signer ? [signer.keyless.trustRoot] : [])))
  const roots = new Map<string, TrustRoot>()
  for (const name of names) {
    const path = resolve(dirname(parsed.source), trustRoots[name]?.file ?? '')
    roots.set(name, await loadTrustRoot(parsed, name, path))
  }
  return roots
}

async function loadTrustRoot(parsed: ParsedPolicy, name: string, path: string): Promise<TrustRoot> {
  const {parseTrustRoot} = await import('./keyless/index.ts')
  try {
    return parseTrustRoot(await readSmallFile(path, parsed.source), path)
  } catch (cause) {
    throw policyError(parsed, `trustRoots.${name}.file`, (cause as Error).message, cause)
  }
}

async function loadKey(parsed: ParsedPolicy, name: string): Promise<TrustedKey> {
  const entry = parsed.policy.keys[name]
  if (!entry) throw policyError(parsed, 'keys', `has no ${name}`)
  const path = resolve(dirname(parsed.source), entry.file)
  try {
    const publicKey = parsePublicKey((await readSmallFile(path, parsed.source)).toString('utf8'))
    const notAfter = entry.notAfter === undefined ? undefined : new Date(entry.notAfter)
    return {name, publicKey, hint: hintOf(publicKey), notAfter, revoked: entry.revoked}
  } catch (cause) {
    throw policyError(parsed, `keys.${name}.file`, `${path}: ${(cause as Error).message}`, cause)
  }
}

export async function readSmallFile(path: string, policy: string): Promise<Buffer> {
  try {
    const stats = await stat(path)
    if (!stats.isFile()) throw new Error('not a regular file')
    if (stats.size > MAX_FILE_BYTES) throw new Error(`${stats.size} bytes are too many`)
    return await readFile(path)
  } catch (cause) {
    throw new AtomError('TRUST_POLICY_INVALID', `${path} ${reasonOf(cause as NodeJS.ErrnoException)}`, {
      hint: `check the path, or edit ${policy}`,
      cause,
    })
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist: part of the path is a file',
  EACCES: 'cannot be read: permission denied',
  ELOOP: 'cannot be read: its links lead in a circle',
}

function reasonOf({code, message}: NodeJS.ErrnoException): string {
  return REASONS[code ?? ''] ?? `cannot be read: ${message}`
}
