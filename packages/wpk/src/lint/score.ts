import type {Finding} from '../document/finding.ts'
import type {LintRule} from './catalogue.ts'

export type Decision = 'approve' | 'review' | 'block'
export type RiskLevel = 'low' | 'medium' | 'high' | 'critical'
export type Mode = 'manual' | 'auto'

/** In this order and as doubles, so that the numbers are the registry's own (atom-protocol.md 8.1). */
const MULTIPLIERS: readonly (readonly [LintRule, number])[] = [
  ['privileged_container', 1.5],
  ['external_network', 1.2],
  ['cluster_permissions', 1.3],
  ['hardcoded_secrets', 1.4],
]

/** 0–100: the points of all findings that count, times each multiplier whose rule fired at all. */
export function scoreFindings(findings: readonly Finding[]): number {
  const counting = findings.filter(({points = 0}) => points > 0)
  const fired = new Set(counting.map(({rule}) => rule))
  const sum = counting.reduce((total, {points = 0}) => total + points, 0)
  const factor = MULTIPLIERS.reduce((product, [rule, value]) => (fired.has(rule) ? product * value : product), 1)
  return Math.min(100, Math.trunc(sum * factor))
}

export function riskLevelOf(score: number): RiskLevel {
  if (score >= 75) return 'critical'
  if (score >= 50) return 'high'
  return score >= 25 ? 'medium' : 'low'
}

/** atom-protocol.md 8.2; a mode that is not auto is manual. */
export function decide(score: number, mode: Mode): Decision {
  const [reviewFrom, blockFrom] = mode === 'auto' ? [25, 50] : [50, 75]
  if (score >= blockFrom) return 'block'
  return score >= reviewFrom ? 'review' : 'approve'
}
