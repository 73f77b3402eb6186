import {oneLine, type Style, type View} from '@atomctl/sdk/output'
import {findingLines} from '@atomctl/sdk/validation'
import type {ExplainedSigner, PolicyReport} from '@atomctl/wpk/trust/policy-check'
import type {Outcome, PolicyExplanation} from '../trust-policy/explanation.ts'

export const policyCheckView: View<PolicyReport[]> = {
  kind: 'TrustPolicyCheck',
  text: (reports, style) =>
    reports.length === 0
      ? `${style.warning('[WARNING]')} There is no trust policy: no signature is trusted (atomctl trust-policy init)`
      : reports.map((report) => reportLines(report, style).join('\n')).join('\n'),
  names: (reports) => reports.map(({file}) => file),
}

function reportLines({file, findings, keys, rules}: PolicyReport, style: Style): string[] {
  const errors = findings.filter(({severity}) => severity === 'error')
  const warnings = findings.filter(({severity}) => severity !== 'error')
  const counts = `${count(keys, 'key')}, ${count(rules, 'rule')}`
  const head =
    errors.length > 0
      ? `${style.bad('[ERROR]')} ${oneLine(file)} cannot be used`
      : `${style.good('[SUCCESS]')} ${oneLine(file)} is sound: ${counts}`
  return [
    head,
    ...errors.flatMap((finding) => findingLines(finding, file, style)),
    ...(warnings.length > 0 ? ['  Warnings:'] : []),
    ...warnings.flatMap((finding) => findingLines(finding, file, style)),
  ]
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

export const policyExplanationView: View<PolicyExplanation> = {
  kind: 'TrustPolicyExplanation',
  text: ({package: name, registry, policies}, style) =>
    [
      `${name}${registry === undefined ? '' : ` from ${registry}`}`,
      ...policies.flatMap((policy) => policyLines(policy, style)),
    ].join('\n'),
  names: ({policies}) => policies.map(({rule}) => rule),
}

function policyLines(explained: PolicyExplanation['policies'][number], style: Style): string[] {
  const {policy, rule, level, scope, threshold, bindRegistry, requireProvenance, others, signers, outcome} = explained
  return [
    '',
    `  Policy: ${policy === undefined ? 'none, which trusts nobody (atomctl trust-policy init)' : oneLine(policy)}`,
    `  Decided By: rule ${rule} (${level}), for packages ${scope.packages.join(', ')} of registries ${scope.registries.join(', ')}`,
    ...(others.length === 0 ? [] : [`  Less Specific: ${others.join(', ')}`]),
    `  Needs: ${needs(level, threshold, signers)}`,
    ...signers.map((signer) => `    - ${signerText(signer)}`),
    ...(bindRegistry ? ['    bound to the registry: atomctl sign --registry URL'] : []),
    ...(requireProvenance ? ['    saying from which commit it was built: atomctl sign --provenance'] : []),
    ...(outcome ? outcomeLines(outcome, style) : []),
  ]
}

function needs(level: string, threshold: number, signers: readonly ExplainedSigner[]): string {
  if (level === 'skip') return 'nothing: this level checks nothing'
  if (level === 'audit') return 'nothing: this level only warns when the signature is not by'
  if (signers.length === 0) return 'a signature by somebody; the rule names nobody, so that every signature is refused'
  return threshold === 1 ? 'a signature by' : `signatures by ${threshold} of`
}

function signerText({key, fingerprint, identity, issuer, problem}: ExplainedSigner): string {
  const who = identity === undefined ? `${key}, key ${fingerprint ?? ''}` : `${identity}, by ${issuer}`
  return `${oneLine(who)}${problem === undefined ? '' : ` (${problem}: its signatures are refused)`}`
}

function outcomeLines({accepted, signers, reason, hint}: Outcome, style: Style): string[] {
  const verdict = accepted
    ? `${style.good('accepted')}${signers.length > 0 ? `, signed by ${signers.map((name) => oneLine(name)).join(', ')}` : ''}`
    : style.bad('refused')
  return [
    `  Now: ${verdict}${reason === undefined ? '' : `: ${oneLine(reason)}`}`,
    ...(hint === undefined ? [] : ['  To change that:', ...hint.split('\n').map((line) => `    ${oneLine(line)}`)]),
  ]
}

export interface CreatedPolicy {
  file: string
}

export const policyInitView: View<CreatedPolicy> = {
  kind: 'TrustPolicy',
  text: ({file}, style) =>
    [
      `${style.good('[SUCCESS]')} Trust policy written: ${oneLine(file)}`,
      '  It is strict and trusts nobody yet: atomctl keys generate --trust',
    ].join('\n'),
  names: ({file}) => [file],
}
