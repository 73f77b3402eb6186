import type {Json} from '../canonical.ts'
import {parseYaml, setYamlValue, stringifyYaml} from '../document/index.ts'
import {AtomError, isAtomError} from '../errors.ts'
import {type ParsedPolicy, parsePolicy} from './parse.ts'
import {POLICY_API_VERSION, POLICY_KIND, type TrustRule} from './schema.ts'

export interface NewTrustedKey {
  /** Name in the policy. */
  readonly name: string
  /** Path of the public key, absolute or relative to the policy file. */
  readonly publicKeyFile: string
}

/** Rule that `addTrustedKey` makes when none is for all packages yet. */
const CATCH_ALL_NAME = 'all-packages'

/**
 * The policy text with one more trusted key: in `keys`, and among the signers of the rule for all packages, which is
 * added when there is none. Comments and order stay; adding the same key again changes nothing.
 * Throws TRUST_POLICY_INVALID when the text is not a sound policy or the name stands for another file.
 */
export function addTrustedKey(policyText: string | undefined, {name, publicKeyFile}: NewTrustedKey): string {
  const text = policyText?.trim() ? policyText : NEW_POLICY
  const {policy} = parse(text)
  const present = Object.hasOwn(policy.keys, name) ? policy.keys[name] : undefined
  if (present && present.file !== publicKeyFile) throw nameTaken(name, present.file)
  const withKey = present ? text : setYamlValue(text, ['keys', name], {file: publicKeyFile})
  return trusts(withKey, name) ? withKey : addSigner(withKey, name)
}

const NEW_POLICY = `# Who may sign the packages that atomctl pushes and runs. Levels: strict, permissive, audit, skip.
apiVersion: ${POLICY_API_VERSION}
kind: ${POLICY_KIND}
default:
  level: strict
`

function parse(text: string): ParsedPolicy {
  return parsePolicy(Buffer.from(text), 'trust policy')
}

function trusts(text: string, name: string): boolean {
  const rule = parse(text).policy.rules.find(isCatchAll)
  return rule !== undefined && rule.signers.some((signer) => 'keys' in signer && signer.keys.includes(name))
}

function isCatchAll({scope}: TrustRule): boolean {
  return scope.registries.includes('*') && scope.packages.includes('*')
}

/** The gentlest edit that has the effect: one word, one inserted rule, or (comments in it lost) the whole list. */
function addSigner(text: string, name: string): string {
  for (const edit of [insertWord, insertRule, rewriteRules]) {
    const changed = edit(text, parse(text), name)
    if (changed !== undefined && hasEffect(changed, name)) return changed
  }
  throw new AtomError('TRUST_POLICY_INVALID', `the key "${name}" cannot be added to the rules of the trust policy`, {
    hint: `add {keys: [${name}]} to the signers of a rule in an editor`,
  })
}

function hasEffect(text: string, name: string): boolean {
  try {
    return trusts(text, name)
  } catch (error) {
    if (isAtomError(error)) return false
    throw error
  }
}

/** Behind the last key name of the rule for all packages, as one more item of the same list. */
function insertWord(text: string, {policy, locate}: ParsedPolicy, name: string): string | undefined {
  const rule = policy.rules.findIndex(isCatchAll)
  const signer = policy.rules[rule]?.signers.findLastIndex((entry) => 'keys' in entry) ?? -1
  const entry = policy.rules[rule]?.signers[signer]
  if (!entry || !('keys' in entry)) return undefined
  const position = locate(`rules[${rule}].signers[${signer}].keys[${entry.keys.length - 1}]`)
  if (!position) return undefined
  const lines = text.split('\n')
  const line = lines[position.line - 1] ?? ''
  const before = line.slice(0, position.column - 1)
  const [word = ''] = /^["']?[A-Za-z0-9._-]+["']?/.exec(line.slice(before.length)) ?? []
  if (/^[\s-]*- +$/.test(before)) lines.splice(position.line, 0, `${before.replace(/-(?=.*-)/g, ' ')}${name}`)
  else lines[position.line - 1] = `${before}${word}, ${name}${line.slice(before.length + word.length)}`
  return lines.join('\n')
}

/** A rule for all packages as the first of the list; the order of rules has no meaning. */
function insertRule(text: string, {policy, locate}: ParsedPolicy, name: string): string | undefined {
  const column = locate('rules[0]')?.column
  if (policy.rules.some(isCatchAll) || column === undefined) return undefined
  const indent = ' '.repeat(Math.max(column - 3, 0))
  const block = stringifyYaml([ruleFor(name)])
    .trimEnd()
    .split('\n')
    .map((line) => indent + line)
  const lines = text.split('\n')
  const heading = lines.findIndex((line) => /^rules:\s*(#.*)?$/.test(line))
  return heading < 0 ? undefined : lines.toSpliced(heading + 1, 0, ...block).join('\n')
}

function rewriteRules(text: string, {policy}: ParsedPolicy, name: string): string {
  const {value} = parseYaml(Buffer.from(text), 'trust policy')
  const rules = (value as {rules?: {[field: string]: Json}[]} | undefined)?.rules ?? []
  const index = policy.rules.findIndex(isCatchAll)
  const changed = rules.map((rule, position) => (position === index ? withSigner(rule, name) : rule))
  return setYamlValue(text, ['rules'], index < 0 ? [...changed, ruleFor(name)] : changed)
}

function withSigner(rule: {[field: string]: Json}, name: string): {[field: string]: Json} {
  const signers = Array.isArray(rule['signers']) ? rule['signers'] : []
  return {...rule, signers: [...signers, {keys: [name]}]}
}

function ruleFor(name: string): {[field: string]: Json} {
  const scope = {registries: ['*'], packages: ['*']}
  return {name: CATCH_ALL_NAME, scope, level: 'strict', signers: [{keys: [name]}]}
}

function nameTaken(name: string, file: string): AtomError {
  return new AtomError('TRUST_POLICY_INVALID', `the trust policy already has a key "${name}" (${file})`, {
    hint: 'choose another name, or edit the policy',
  })
}
