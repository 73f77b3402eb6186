import {basename, dirname, isAbsolute, join, relative, sep} from 'node:path'
import {homeOf} from '@atomctl/sdk/config'
import type {AtomContext} from '@atomctl/sdk/context'
import {isAtomError} from '@atomctl/sdk/errors'
import {readInput, writeFileSafely} from '@atomctl/sdk/files'
import {ownTrustPolicyPath} from '@atomctl/sdk/trust'
import type {TrustPolicy} from '@atomctl/wpk/trust'

const POLICY_LIMIT = 1 << 20

/** Where a key came to be trusted. */
export interface TrustedKeyEntry {
  /** Name of the key in the policy. */
  readonly name: string
  readonly policy: string
  /** The policy's own copy of the public key: the original may move away. */
  readonly file: string
}

/**
 * Adds a public key to the user's trust policy, for all packages; the policy's comments stay. A key that the policy
 * has already keeps its name.
 * @throws TRUST_POLICY_INVALID, OUTPUT_FAILED; the policy is unchanged then.
 */
export async function trustPublicKey(
  atom: AtomContext,
  publicKeyPem: string,
  wanted: string,
): Promise<TrustedKeyEntry> {
  const path = ownTrustPolicyPath(atom.configuration, atom.environment)
  const text = await readPolicyText(path)
  const [{addTrustedKey, loadTrustPolicy}, {keyHint}] = await Promise.all([
    import('@atomctl/wpk/trust'),
    import('@atomctl/wpk/signing'),
  ])
  const policy = text === undefined ? undefined : await loadTrustPolicy(path)
  const known = policy?.keysByHint.get(keyHint(publicKeyPem))
  const name = known?.name ?? freeName(wanted, policy)
  const file = known ? await fileInPolicy(text ?? '', name) : join(homeOf(atom.environment), 'keys', `${name}.pub`)
  const publicKeyFile = known ? file : beside(path, file)
  const changed = addTrustedKey(text, {name, publicKeyFile})
  if (!known) await writeFileSafely(file, publicKeyPem, {mode: 0o644, directoryMode: 0o700})
  if (changed !== text) await writeFileSafely(path, changed, {directoryMode: 0o700})
  return {name, policy: path, file}
}

async function readPolicyText(path: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode(await readInput(path, POLICY_LIMIT))
  } catch (error) {
    if (isAtomError(error) && error.code === 'INPUT_MISSING') return undefined
    throw error
  }
}

/** A name the policy accepts and does not use yet, after the file the key came from. */
function freeName(wanted: string, policy: TrustPolicy | undefined): string {
  const base =
    basename(wanted)
      .replace(/[^A-Za-z0-9._-]/g, '-')
      .replace(/^[^A-Za-z0-9]+/, '')
      .slice(0, 56) || 'key'
  let name = base
  for (let count = 2; policy?.keys.has(name); count++) name = `${base}-${count}`
  return name
}

async function fileInPolicy(text: string, name: string): Promise<string> {
  const {parseYaml} = await import('@atomctl/wpk/document')
  const {value} = parseYaml(Buffer.from(text), 'trust policy')
  const {keys} = value as unknown as {keys: Record<string, {file: string}>}
  return keys[name]?.file ?? ''
}

/** Relative where the key lies below the policy's directory, so that both can move together. */
function beside(policy: string, file: string): string {
  const path = relative(dirname(policy), file)
  return path.startsWith('..') || isAbsolute(path) ? file : path.split(sep).join('/')
}
