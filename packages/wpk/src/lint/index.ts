import type {JsonObject} from '../canonical.ts'
import type {Finding, Locate} from '../document/finding.ts'
import {classify, modeOf} from './classification.ts'
import type {Classification} from './classification.ts'
import {findDestructiveCommands, findRemoteScripts} from './rules/commands.ts'
import {findInsecureImages} from './rules/images.ts'
import {findHostPathMounts} from './rules/mounts.ts'
import {findExternalNetwork} from './rules/network.ts'
import {findClusterPermissions, findDangerousCapabilities, findPrivilegedContainers} from './rules/privileges.ts'
import {findExcessiveReplicas, findExcessiveResources, findMissingLimits} from './rules/resources.ts'
import {findHardcodedSecrets} from './rules/secrets.ts'
import {decide, riskLevelOf, scoreFindings} from './score.ts'
import type {Decision, RiskLevel} from './score.ts'
import {collectSubjects} from './subjects.ts'
import type {Subjects} from './subjects.ts'
import {suppressFindings} from './suppression.ts'

export {LINT_RULES} from './catalogue.ts'
export type {LintRule} from './catalogue.ts'
export type {AutomationLevel, Complexity} from './classification.ts'
export type {Decision, RiskLevel} from './score.ts'

/** What the security policy says about a document; the same in validate, on push and in a dry run. */
export interface LintReport extends Classification {
  findings: Finding[]
  /** 0–100. */
  score: number
  riskLevel: RiskLevel
  decision: Decision
  approvalRequired: boolean
  canExecute: boolean
}

type Rule = (subjects: Subjects, document: JsonObject) => Finding[]

const RULES: readonly Rule[] = [
  findPrivilegedContainers,
  findDangerousCapabilities,
  findHostPathMounts,
  findMissingLimits,
  findExcessiveResources,
  findInsecureImages,
  findClusterPermissions,
  findExternalNetwork,
  findHardcodedSecrets,
  findDestructiveCommands,
  findRemoteScripts,
  findExcessiveReplicas,
]

/** Applies every rule of atom-protocol.md 8.1 to what the document really runs. Never throws, whatever its shape. */
export function lint(value: JsonObject, locate?: Locate): LintReport {
  const subjects = collectSubjects(value)
  const raw = RULES.flatMap((rule) => rule(subjects, value))
  const findings = suppressFindings(raw, value)
  const mode = modeOf(value)
  const score = scoreFindings(findings)
  const decision = decide(score, mode)
  const critical = findings.some(({level, suppressed}) => level === 'critical' && suppressed === undefined)
  const approvalRequired = decision !== 'approve' || critical
  return {
    ...classify(value, mode),
    findings: findings.map((finding) => settleFinding(finding, decision, locate)),
    score,
    riskLevel: riskLevelOf(score),
    decision,
    approvalRequired,
    canExecute: !approvalRequired,
  }
}

/** Critical and high findings are errors only in a document that is blocked (atom-protocol.md 8.2). */
function settleFinding(finding: Finding, decision: Decision, locate: Locate | undefined): Finding {
  const position = locate?.(finding.path)
  return {...finding, severity: severityOf(finding, decision), ...(position && {position})}
}

function severityOf({level, suppressed}: Finding, decision: Decision): Finding['severity'] {
  if (suppressed !== undefined || level === 'low') return 'info'
  return decision === 'block' && level !== 'medium' ? 'error' : 'warning'
}
