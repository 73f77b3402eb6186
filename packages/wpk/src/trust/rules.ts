import {AtomError} from '../errors.ts'
import {normalizeRegistry} from '../signing/registry.ts'
import {matchesGlob} from './glob.ts'
import type {TrustPolicy} from './policy.ts'
import type {TrustRule} from './schema.ts'

/** What a package is asked from: the scope of rules is matched against it. */
export interface Subject {
  readonly name: string
  /** Undefined for a local file; then only rules for every registry (`*`) match. */
  readonly registry: string | undefined
}

/** How exactly the best matching pattern names the thing: packages count before registries. */
export type Specificity = readonly [packages: number, registries: number]

/** The name under which the policy's default shows where no rule matches. */
export const DEFAULT_RULE = '(default)'

/**
 * The rule that decides about a package: the one whose scope names it most specifically.
 * Throws TRUST_POLICY_INVALID when two are equally specific.
 */
export function selectRule(policy: TrustPolicy, subject: Subject): TrustRule {
  const matches = policy.rules
    .map((rule) => ({rule, specificity: specificityOf(rule, subject)}))
    .filter((match): match is {rule: TrustRule; specificity: Specificity} => match.specificity !== undefined)
    .sort((left, right) => compareSpecificity(right.specificity, left.specificity))
  const [best, second] = matches
  if (best && second && compareSpecificity(best.specificity, second.specificity) === 0)
    throw tie(policy, best.rule, second.rule)
  return best?.rule ?? defaultRule(policy)
}

function defaultRule(policy: TrustPolicy): TrustRule {
  const scope = {registries: ['*'], packages: ['*']}
  return {name: DEFAULT_RULE, scope, level: policy.default.level, threshold: 1, signers: [], bindRegistry: false}
}

export function specificityOf({scope}: TrustRule, {name, registry}: Subject): Specificity | undefined {
  const packages = bestMatch(scope.packages, name)
  const registries = bestMatch(scope.registries.map(normalizePattern), registry && normalizeRegistry(registry))
  return packages === undefined || registries === undefined ? undefined : [packages, registries]
}

/** One spelling for patterns, too: a rule for `https://*.Example.com/` must not be one for nothing. */
export function normalizePattern(pattern: string): string {
  if (!pattern.includes('*')) return normalizeRegistry(pattern)
  const [, scheme, host, path] = /^([^/]+:\/\/)([^/]+)(.*)$/s.exec(pattern.replace(/\/+$/, '')) ?? []
  if (scheme === undefined || host === undefined) return pattern
  const start = (scheme + host).toLowerCase().replace(/^(https:.*):443$|^(http:.*):80$/, '$1$2')
  return start.replace(/\.(:\d+)?$/, '$1') + path
}

/** Exact patterns rank above wildcards, wildcards by how many characters they fix, `*` last. */
function bestMatch(patterns: readonly string[], text: string | undefined): number | undefined {
  const ranks = patterns.filter((pattern) => matchesPattern(pattern, text)).map(rankOf)
  return ranks.length > 0 ? Math.max(...ranks) : undefined
}

export function rankOf(pattern: string): number {
  return pattern.includes('*') ? pattern.replaceAll('*', '').length : Number.MAX_SAFE_INTEGER
}

/** `*` alone matches everything; inside a pattern it matches one run of characters other than `/`. Always anchored. */
export function matchesPattern(pattern: string, text: string | undefined): boolean {
  if (pattern === '*') return true
  if (text === undefined) return false
  return matchesGlob(pattern, text, /[/\s]/)
}

export function compareSpecificity(left: Specificity, right: Specificity): number {
  return left[0] - right[0] || left[1] - right[1]
}

function tie(policy: TrustPolicy, first: TrustRule, second: TrustRule): AtomError {
  const message = `${policy.source ?? 'trust policy'}: rules "${first.name}" and "${second.name}" are equally specific`
  return new AtomError('TRUST_POLICY_INVALID', message, {
    hint: 'make the scope of one of them narrower',
    details: {rules: [first.name, second.name]},
  })
}
