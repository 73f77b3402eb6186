import {fingerprintOfHint} from '../signing/public-key.ts'
import type {TrustedKey, TrustPolicy} from './policy.ts'
import {DEFAULT_RULE, type Subject} from './rules.ts'
import type {TrustRule} from './schema.ts'

/** Name for a key that the policy does not have yet. */
const NEW_KEY = 'signer'

/**
 * The policy lines that would trust a signer for this package, ready to paste: the key unless the policy has it,
 * and a rule, or the signers line of the rule that decided.
 */
export function adviseTrust(policy: TrustPolicy, rule: TrustRule, subject: Subject, hint: string): string {
  const known = policy.keysByHint.get(hint)
  const key = known?.name ?? freeName(policy)
  const file = policy.source ?? '~/.atomctl/trust-policy.yaml'
  const save = known ? [] : [`# save the public key ${fingerprintOfHint(hint)} as ${key}.pub beside ${file}`]
  return [
    `to trust this signer, add to ${file}:`,
    ...save,
    ...keyLines(known, key),
    ...ruleLines(rule, subject, key),
  ].join('\n')
}

function freeName(policy: TrustPolicy): string {
  let name = NEW_KEY
  for (let count = 2; policy.keys.has(name); count++) name = `${NEW_KEY}-${count}`
  return name
}

function keyLines(known: TrustedKey | undefined, key: string): string[] {
  return known ? [] : ['keys:', `  ${key}: {file: ${JSON.stringify(`${key}.pub`)}}`]
}

function ruleLines(rule: TrustRule, {name, registry}: Subject, key: string): string[] {
  if (rule.name === DEFAULT_RULE) {
    return [
      'rules:',
      `  - name: ${JSON.stringify(name.replace(/[^A-Za-z0-9._-]/g, '-'))}`,
      `    scope: {registries: [${JSON.stringify(registry ?? '*')}], packages: [${JSON.stringify(name)}]}`,
      '    level: strict',
      `    signers: [{keys: [${key}]}]`,
    ]
  }
  const signers = [...rule.signers, {keys: [key]}].map((signer) => JSON.stringify(signer)).join(', ')
  return [`# and in the rule ${JSON.stringify(rule.name)}:`, `    signers: [${signers}]`]
}
