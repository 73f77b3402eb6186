import {AtomError} from '../errors.ts'
import type {WpkDocument} from '@atomctl/wpk/document'

/**
 * Refuses a package that the security policy blocks, from the same rules the registry applies on upload.
 * @throws POLICY_BLOCKED with the findings.
 */
export async function requirePolicyApproval(document: WpkDocument): Promise<void> {
  const {lint} = await import('@atomctl/wpk/lint')
  const report = lint(document.value, document.locate)
  if (report.decision !== 'block') return
  throw new AtomError(
    'POLICY_BLOCKED',
    `${document.source}: the security policy blocks it (risk score ${report.score})`,
    {
      details: {score: report.score, findings: report.findings},
      hint: `atomctl validate ${document.source}`,
    },
  )
}
