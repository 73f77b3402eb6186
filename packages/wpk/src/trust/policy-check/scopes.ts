import type {Finding} from '../../document/index.ts'
import {compareSpecificity, normalizePattern, type Specificity, specificityOf, type Subject} from '../rules.ts'
import type {ParsedPolicy} from '../parse.ts'
import type {TrustRule} from '../schema.ts'
import {findingAt} from './finding.ts'
import {commonTexts} from './intersection.ts'

/**
 * Rules that tie for some package, which is refused then, and rules of which each is the more specific one in its own
 * way, where packages counting before registries may not be what was meant.
 */
export function checkScopes(parsed: ParsedPolicy): Finding[] {
  const {rules} = parsed.policy
  return rules.flatMap((rule, index) => [
    ...checkRegistries(parsed, rule, index),
    ...rules.slice(0, index).flatMap((earlier) => comparePair(parsed, earlier, rule, index)),
  ])
}

/** A registry is a URL, and no `*` stands for a slash: a host alone is a rule for nothing, and the default decides. */
function checkRegistries(parsed: ParsedPolicy, {scope}: TrustRule, index: number): Finding[] {
  return scope.registries.flatMap((pattern, position) => {
    if (pattern === '*' || pattern.includes('://')) return []
    const message = `${JSON.stringify(pattern)} matches no registry, whose URL starts with https:// or http://`
    const suggestion = `write https://${pattern}`
    const path = `rules[${index}].scope.registries[${position}]`
    return [findingAt(parsed, path, {rule: 'policy_scope', severity: 'warning', message, suggestion})]
  })
}

function comparePair(parsed: ParsedPolicy, earlier: TrustRule, later: TrustRule, index: number): Finding[] {
  const subjects = commonSubjects(earlier, later)
  const path = `rules[${index}].scope`
  const at = parsed.locate(path) ? path : `rules[${index}]`
  const tied = subjects.find((subject) => isTie(parsed.policy.rules, earlier, later, subject))
  if (tied) {
    const message = `rules ${earlier.name} and ${later.name} are equally specific for ${describe(tied)}, which is refused`
    const suggestion = 'make the scope of one of them narrower'
    return [findingAt(parsed, at, {rule: 'policy_tie', severity: 'error', message, suggestion})]
  }
  const crossing = subjects.find((subject) => isCrossing(earlier, later, subject))
  if (!crossing) return []
  const [winner, loser] = order(earlier, later, crossing)
  const message = `for ${describe(crossing)} rule ${winner.name} decides, not ${loser.name}: packages count before registries`
  return [findingAt(parsed, at, {rule: 'policy_overlap', severity: 'warning', message})]
}

/** Packages that both rules are for, one for each way in which their patterns meet. */
function commonSubjects(left: TrustRule, right: TrustRule): Subject[] {
  const names = meet(left.scope.packages, right.scope.packages)
  const registries = meet(left.scope.registries.map(normalizePattern), right.scope.registries.map(normalizePattern))
  const everywhere = left.scope.registries.includes('*') && right.scope.registries.includes('*')
  const places: (string | undefined)[] = everywhere ? [undefined, ...registries] : registries
  return names.flatMap((name) => places.map((registry) => ({name, registry})))
}

function meet(left: readonly string[], right: readonly string[]): string[] {
  return [...new Set(left.flatMap((one) => right.flatMap((other) => commonTexts(one, other))))]
}

/** Whether exactly these two are the most specific rules, and equally so. */
function isTie(rules: readonly TrustRule[], left: TrustRule, right: TrustRule, subject: Subject): boolean {
  const [one, other] = [specificityOf(left, subject), specificityOf(right, subject)]
  if (!one || !other || compareSpecificity(one, other) !== 0) return false
  const above = (found: Specificity | undefined): boolean => found !== undefined && compareSpecificity(found, one) > 0
  return !rules.some((rule) => above(specificityOf(rule, subject)))
}

function isCrossing(left: TrustRule, right: TrustRule, subject: Subject): boolean {
  const [one, other] = [specificityOf(left, subject), specificityOf(right, subject)]
  return one !== undefined && other !== undefined && (one[0] - other[0]) * (one[1] - other[1]) < 0
}

function order(left: TrustRule, right: TrustRule, subject: Subject): [TrustRule, TrustRule] {
  const [one, other] = [specificityOf(left, subject), specificityOf(right, subject)]
  return one && other && compareSpecificity(one, other) > 0 ? [left, right] : [right, left]
}

function describe({name, registry}: Subject): string {
  return registry === undefined ? `${name}, wherever it comes from` : `${name} from ${registry}`
}
