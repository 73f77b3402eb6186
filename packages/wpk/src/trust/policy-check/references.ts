import type {Finding} from '../../document/index.ts'
import {suggestName} from '../../suggestion.ts'
import {MAX_SIGNATURES} from '../../signing/embedded.ts'
import type {ParsedPolicy} from '../parse.ts'
import type {TrustRule} from '../schema.ts'
import {findingAt} from './finding.ts'

/** Names that stand for nothing, names used twice, keys that nobody uses, and rules that nobody can satisfy. */
export function checkReferences(parsed: ParsedPolicy): Finding[] {
  const {rules} = parsed.policy
  return [
    ...rules.flatMap((rule, index) => checkName(parsed, rule, index)),
    ...rules.flatMap((rule, index) => checkSigners(parsed, rule, index)),
    ...rules.flatMap((rule, index) => checkDemands(parsed, rule, index)),
    ...checkDefault(parsed),
    ...checkUnused(parsed),
  ]
}

function checkName(parsed: ParsedPolicy, {name}: TrustRule, index: number): Finding[] {
  if (parsed.policy.rules.findIndex((rule) => rule.name === name) === index) return []
  const message = `rule ${name}: the name is used twice`
  return [findingAt(parsed, `rules[${index}].name`, {rule: 'policy_reference', severity: 'error', message})]
}

function checkSigners(parsed: ParsedPolicy, {name, signers}: TrustRule, index: number): Finding[] {
  const {keys, trustRoots} = parsed.policy
  return signers.flatMap((signer, position) => {
    const path = `rules[${index}].signers[${position}]`
    if ('keys' in signer) return signer.keys.flatMap((key) => missing(parsed, path, `rule ${name}: key`, key, keys))
    return missing(parsed, path, `rule ${name}: trust root`, signer.keyless.trustRoot, trustRoots)
  })
}

function missing(parsed: ParsedPolicy, path: string, what: string, name: string, known: object): Finding[] {
  if (Object.hasOwn(known, name)) return []
  const close = suggestName(name, Object.keys(known))
  const message = `${what} "${name}" does not exist`
  const suggestion = close === undefined ? {} : {suggestion: close}
  return [findingAt(parsed, path, {rule: 'policy_reference', severity: 'error', message, ...suggestion})]
}

function checkDemands(parsed: ParsedPolicy, {name, level, signers, threshold}: TrustRule, index: number): Finding[] {
  const warn = (field: string, rule: 'policy_level' | 'policy_signers', message: string): Finding =>
    findingAt(parsed, `rules[${index}].${field}`, {rule, severity: 'warning', message: `rule ${name}: ${message}`})
  if (level === 'skip' || level === 'audit') return [warn('level', 'policy_level', lenience(level))]
  if (signers.length === 0) return [warn('name', 'policy_signers', 'it names no signers, so that it trusts nobody')]
  if (threshold === 1) return []
  const most = signers.some((signer) => 'keyless' in signer && signer.keyless.identity.includes('*'))
    ? MAX_SIGNATURES
    : Math.min(countNamed(parsed, signers), MAX_SIGNATURES)
  if (threshold <= most) return []
  const why =
    most === MAX_SIGNATURES
      ? `a package carries ${most} signatures at most`
      : `it names ${most} ${most === 1 ? 'signer' : 'signers'} who can sign`
  return [warn('threshold', 'policy_signers', `${why}, so that a threshold of ${threshold} refuses everything`)]
}

/** How many different signers a rule without patterns names, without those whose signature is refused. */
function countNamed({policy}: ParsedPolicy, signers: TrustRule['signers']): number {
  const named = signers.flatMap((signer) => ('keys' in signer ? signer.keys : []))
  const keys = named.filter((key) => !policy.keys[key]?.revoked)
  const people = signers.flatMap((signer) =>
    'keyless' in signer ? [JSON.stringify([signer.keyless.identity, signer.keyless.issuer])] : [],
  )
  return new Set(keys).size + new Set(people).size
}

function lenience(level: 'skip' | 'audit'): string {
  return level === 'skip' ? 'level skip checks nothing' : 'level audit only reports, and lets everything through'
}

function checkDefault(parsed: ParsedPolicy): Finding[] {
  const {level} = parsed.policy.default
  if (level === 'strict' || level === 'permissive') return []
  const message = `for packages that no rule is for, ${lenience(level)}`
  return [findingAt(parsed, 'default.level', {rule: 'policy_level', severity: 'warning', message})]
}

/** A revoked key that no rule names is kept on purpose: so that what it signed says "revoked", not "unknown". */
function checkUnused(parsed: ParsedPolicy): Finding[] {
  const {keys, trustRoots, rules} = parsed.policy
  const signers = rules.flatMap((rule) => rule.signers)
  const used = new Set(signers.flatMap((signer) => ('keys' in signer ? signer.keys : [])))
  const roots = new Set(signers.flatMap((signer) => ('keyless' in signer ? [signer.keyless.trustRoot] : [])))
  const idle = [
    ...Object.keys(keys).flatMap((key) => (used.has(key) || keys[key]?.revoked ? [] : [`keys.${key}`])),
    ...Object.keys(trustRoots).flatMap((root) => (roots.has(root) ? [] : [`trustRoots.${root}`])),
  ]
  return idle.map((path) =>
    findingAt(parsed, path, {rule: 'policy_unused', severity: 'warning', message: `no rule names ${path}`}),
  )
}
