import type {StaticDryRun} from '@atomctl/protocol/registry'
import type {Json, JsonObject} from '@atomctl/protocol/values'
import {lint, type LintReport} from '@atomctl/wpk/lint'
import type {Finding} from '@atomctl/wpk/document'

/** Scores from here on block a package in every mode (protocol section 8.1). */
const INVALID_SCORE = 76
const APPROVAL_MS = 24 * 60 * 60 * 1000

/** The static check in the shape of protocol section 2.7; nothing runs and nothing is stored. */
export function describeDryRun(workflowId: string, value: JsonObject, who: string, now: Date): StaticDryRun {
  const report = lint(value)
  const issues = report.findings.filter(({suppressed}) => suppressed === undefined).map(describeIssue)
  const isBlocked = report.decision === 'block'
  const errors = isBlocked ? describeIssues(issues, ['critical', 'high']) : []
  return {
    workflow_id: workflowId,
    validation: {
      valid: report.score < INVALID_SCORE,
      risk_score: report.score,
      issues,
      policy_decision: report.decision,
      approval_required: report.approvalRequired,
      errors,
      warnings: describeIssues(issues, ['medium', 'low']),
    },
    category: describeCategory(report),
    approval_request: report.approvalRequired ? requestApproval(workflowId, report, errors, {who, now}) : null,
    recommendation: {
      can_execute: report.canExecute,
      requires_approval: report.approvalRequired,
      safety_mode: safetyMode(value),
    },
    timestamp: now.toISOString(),
    dry_run_id: `dryrun-${workflowId}-${Math.floor(now.getTime() / 1000)}`,
  }
}

type Issue = StaticDryRun['validation']['issues'][number]

function describeIssue({rule, level = 'low', message, path, suggestion, cwe}: Finding): Issue {
  return {rule_id: rule, severity: level, message, path, suggestion: suggestion ?? null, cwe: cwe ?? null}
}

function describeIssues(issues: readonly Issue[], severities: readonly string[]): string[] {
  return issues.filter(({severity}) => severities.includes(severity)).map(({message, path}) => `${message} at ${path}`)
}

function describeCategory(report: LintReport): StaticDryRun['category'] {
  return {
    categories: [...report.categories],
    risk_level: report.riskLevel,
    resource_types: [...report.resourceTypes],
    complexity: report.complexity,
    automation_level: report.automationLevel,
  }
}

function requestApproval(
  workflowId: string,
  report: LintReport,
  errors: readonly string[],
  {who, now}: {who: string; now: Date},
): Record<string, unknown> {
  const issue: Omit<Issue, 'message'> = {
    rule_id: 'policy_violation',
    severity: 'high',
    path: 'unknown',
    suggestion: null,
    cwe: null,
  }
  return {
    workflow_id: workflowId,
    risk_score: report.score,
    issues: errors.map((message) => ({...issue, message})),
    justification: `Policy decision ${report.decision} at risk score ${report.score}`,
    requested_by: who,
    requested_at: now.toISOString(),
    expires_at: new Date(now.getTime() + APPROVAL_MS).toISOString(),
  }
}

function safetyMode(value: JsonObject): Json {
  const spec = value['spec'] as {safety?: {mode?: Json}} | undefined
  return spec?.safety?.mode ?? null
}
