import {existsSync} from 'node:fs'
import {dirname, join, resolve} from 'node:path'
import {type Configuration, type Environment, homeOf, type Origin} from '@atomctl/sdk/config'
import {AtomError, isAtomError} from '@atomctl/sdk/errors'
import {readInput} from '@atomctl/sdk/files'
import {anchor} from '@atomctl/sdk/trust'
import {type TrustRule, trustFile} from './trust-schema.ts'

const LIMIT = 1 << 20

/** Which plugins one file allows. */
export interface TrustList {
  readonly file: string
  /** The user's own; any other list can only take away from it. */
  readonly own: boolean
  readonly rules: readonly TrustRule[]
}

/** The user's own list. */
export function trustListPath(environment: Environment): string {
  return join(homeOf(environment), 'plugin-trust.yaml')
}

/** The list of whoever administers this machine. */
export function organisationListPath(environment: Environment): string {
  const base = process.platform === 'win32' ? environment['ProgramData'] || 'C:\\ProgramData' : '/etc'
  return join(base, 'atomctl', 'plugin-trust.yaml')
}

/**
 * The lists that a plugin must satisfy, all of them: the user's own, and beside it the machine's, and the ones that the
 * setting `plugin_trust` names in the environment, a project's file or the user's.
 * @throws PLUGIN_TRUST_INVALID; a list that is named and missing is an error, never "no list"
 */
export async function loadTrustLists(configuration: Configuration, environment: Environment): Promise<TrustList[]> {
  const own = trustListPath(environment)
  const organisation = organisationListPath(environment)
  const kinds: Origin['kind'][] = ['environment', 'project', 'user']
  const named = kinds
    .map((kind) => configuration.get('plugin_trust', new Set([kind])))
    .flatMap((setting) => (setting ? [anchor(String(setting.value), setting.origin)] : []))
  const others = [...(existsSync(organisation) ? [organisation] : []), ...new Set(named)]
  return [
    existsSync(own) ? await loadTrustList(own, true) : {file: own, own: true, rules: []},
    ...(await Promise.all(others.map((file) => loadTrustList(file, false)))),
  ]
}

async function loadTrustList(file: string, own: boolean): Promise<TrustList> {
  const bytes = await readInput(file, LIMIT).catch((cause: unknown) => {
    throw invalid(`${file}: ${(cause as Error).message}`, file, cause)
  })
  return {file, own, rules: await parseTrustList(bytes, file)}
}

/** @throws PLUGIN_TRUST_INVALID naming file, line and key */
export async function parseTrustList(bytes: Uint8Array, file: string): Promise<TrustRule[]> {
  const {parseYaml} = await import('@atomctl/wpk/document')
  const {value, findings, locate} = parseYaml(bytes, file)
  const place = (position?: {line: number; column: number}): string =>
    position ? `${file}:${position.line}:${position.column}` : file
  const broken = findings.find(({severity}) => severity === 'error')
  if (broken) throw invalid(`${place(broken.position)}: ${broken.message}`, file)
  const checked = trustFile.safeParse(value)
  if (checked.success) return checked.data.plugins.map((rule) => withPaths(rule, file))
  const issue = checked.error.issues[0]
  const key = pathText([...(issue?.path ?? []), ...(issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [])])
  throw invalid(`${place(locate(key))}: ${key || 'document'}: ${issue?.message ?? 'not a trust list'}`, file)
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, part) =>
      typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`,
    '',
  )
}

/** Paths in a list are relative to the list. */
function withPaths(rule: TrustRule, file: string): TrustRule {
  const at = (path: string): string => resolve(dirname(file), path)
  const {signer, link} = rule
  const signedBy =
    signer && ('key' in signer ? {key: at(signer.key)} : {...signer, trusted_root: at(signer.trusted_root)})
  return {
    ...rule,
    ...(signedBy ? {signer: signedBy} : {}),
    ...(typeof link === 'string' ? {link: at(link)} : {}),
  }
}

function invalid(message: string, file: string, cause?: unknown): AtomError {
  if (isAtomError(cause) && cause.code === 'PLUGIN_TRUST_INVALID') return cause
  return new AtomError('PLUGIN_TRUST_INVALID', message, {hint: `edit ${file}`, cause})
}
