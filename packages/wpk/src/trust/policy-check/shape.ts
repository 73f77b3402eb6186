import {type Finding, parseYaml} from '../../document/index.ts'
import {type ParsedPolicy, pathText, place} from '../parse.ts'
import {policySchema} from '../schema.ts'

/** A policy as far as it can be understood: `parsed` is there when its form is right. */
export function readShape(bytes: Uint8Array, source: string): {parsed?: ParsedPolicy; findings: Finding[]} {
  const {value, findings, locate} = parseYaml(bytes, source)
  if (findings.some(({severity}) => severity === 'error')) return {findings}
  const checked = policySchema.safeParse(value)
  if (checked.data) return {parsed: {source, policy: checked.data, locate}, findings}
  const issues = checked.error.issues.flatMap((issue) => namesOf(issue).map((path) => ({issue, path})))
  const broken = issues.map(({issue, path}): Finding => {
    const position = place(locate, path)
    const found = {
      rule: 'policy_form',
      severity: 'error',
      message: describe(issue, path),
      path: pathText(path),
    } as const
    return position ? {...found, position} : found
  })
  return {findings: broken}
}

type Issue = NonNullable<ReturnType<typeof policySchema.safeParse>['error']>['issues'][number]

/** Where an issue is: an unknown key at itself, not at the mapping that holds it. */
function namesOf(issue: Issue): PropertyKey[][] {
  return issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [[...issue.path]]
}

function describe(issue: Issue, path: readonly PropertyKey[]): string {
  const name = pathText(path) || 'the policy'
  if (issue.code === 'unrecognized_keys') return `${name}: there is no such key`
  if (issue.code === 'invalid_union')
    return `${name}: must be {keys: [NAME]} or {keyless: {trustRoot, issuer, identity}}`
  return `${name}: ${issue.message}`
}
