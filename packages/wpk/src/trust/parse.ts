import {parseYaml} from '../document/index.ts'
import {AtomError} from '../errors.ts'
import {type PolicyFile, policySchema} from './schema.ts'

/** A policy file that is sound in itself; its key files are not read yet. */
export interface ParsedPolicy {
  readonly source: string
  readonly policy: PolicyFile
  readonly locate: Locate
}

export type Locate = ReturnType<typeof parseYaml>['locate']

/** Reads a policy through the same gate as packages. Throws TRUST_POLICY_INVALID naming line and column. */
export function parsePolicy(bytes: Uint8Array, source: string): ParsedPolicy {
  const {value, findings, locate} = parseYaml(bytes, source)
  const broken = findings.find(({severity}) => severity === 'error')
  if (broken) throw invalid(source, broken.position, broken.message)
  const checked = policySchema.safeParse(value)
  const issue = checked.error?.issues[0]
  if (issue) throw invalid(source, place(locate, issue.path), `${pathText(issue.path)}: ${issue.message}`)
  if (!checked.data) throw invalid(source, undefined, 'the policy is empty')
  const parsed = {source, policy: checked.data, locate}
  checkReferences(parsed)
  return parsed
}

/** A TRUST_POLICY_INVALID error about one place of the file. */
export function policyError(parsed: ParsedPolicy, path: string, message: string, cause?: unknown): AtomError {
  return invalid(parsed.source, parsed.locate(path), `${path} ${message}`, cause)
}

function checkReferences(parsed: ParsedPolicy): void {
  const {rules, keys, trustRoots} = parsed.policy
  const names = new Set<string>()
  for (const [index, rule] of rules.entries()) {
    if (names.has(rule.name)) throw policyError(parsed, `rules[${index}].name`, `"${rule.name}" is used twice`)
    names.add(rule.name)
    for (const [position, signer] of rule.signers.entries()) {
      const path = `rules[${index}].signers[${position}]`
      const unknown = 'keys' in signer ? signer.keys.find((key) => !Object.hasOwn(keys, key)) : undefined
      if (unknown !== undefined) throw policyError(parsed, path, `names the key "${unknown}", which keys does not have`)
      if ('keyless' in signer && !Object.hasOwn(trustRoots, signer.keyless.trustRoot)) {
        throw policyError(parsed, path, `names the trust root "${signer.keyless.trustRoot}", which does not exist`)
      }
    }
  }
}

type Place = ReturnType<Locate>

function invalid(source: string, position: Place, message: string, cause?: unknown): AtomError {
  const where = position ? `${source}:${position.line}:${position.column}` : source
  return new AtomError('TRUST_POLICY_INVALID', `${where}: ${message}`, {
    hint: `edit ${source}`,
    details: {source, ...position},
    cause,
  })
}

/** The nearest place that exists in the text: a missing field is shown at what should hold it. */
export function place(locate: Locate, path: readonly PropertyKey[]): Place {
  const found = locate(pathText(path))
  return found ?? (path.length > 0 ? place(locate, path.slice(0, -1)) : undefined)
}

export function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')
}
