import type {Claims} from '../signing/certificate.ts'
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
  const file = fileOf(policy)
  const save = known ? [] : [`# save the public key ${fingerprintOfHint(hint)} as ${key}.pub beside ${file}`]
  return [
    `to trust this signer, add to ${file}:`,
    ...save,
    ...keyLines(known, key),
    ...ruleLines(rule, subject, {keys: [key]}),
  ].join('\n')
}

/** The same for a keyless signer. The certificate was not verified when this is shown: its claims are only claims. */
export function adviseIdentity(policy: TrustPolicy, rule: TrustRule, subject: Subject, claims: Claims): string {
  const [known] = policy.trustRoots?.keys() ?? []
  const trustRoot = known ?? 'sigstore'
  const file = fileOf(policy)
  const root = `  ${trustRoot}: {file: "trusted_root.json"}   # beside ${file}; from whoever runs that Sigstore`
  return [
    `to trust this signer, add to ${file}:`,
    ...(known === undefined ? ['trustRoots:', root] : []),
    ...ruleLines(rule, subject, {keyless: {trustRoot, ...claims}}),
  ].join('\n')
}

function fileOf({source}: TrustPolicy): string {
  return source ?? '~/.atomctl/trust-policy.yaml'
}

function freeName(policy: TrustPolicy): string {
  let name = NEW_KEY
  for (let count = 2; policy.keys.has(name); count++) name = `${NEW_KEY}-${count}`
  return name
}

function keyLines(known: TrustedKey | undefined, key: string): string[] {
  return known ? [] : ['keys:', `  ${key}: {file: ${JSON.stringify(`${key}.pub`)}}`]
}

function ruleLines(rule: TrustRule, {name, registry}: Subject, signer: TrustRule['signers'][number]): string[] {
  if (rule.name === DEFAULT_RULE) {
    return [
      'rules:',
      `  - name: ${JSON.stringify(name.replace(/[^A-Za-z0-9._-]/g, '-'))}`,
      `    scope: {registries: [${JSON.stringify(registry ?? '*')}], packages: [${JSON.stringify(name)}]}`,
      '    level: strict',
      `    signers: [${flow(signer)}]`,
    ]
  }
  const signers = [...rule.signers, signer].map((one) => JSON.stringify(one)).join(', ')
  return [`# and in the rule ${JSON.stringify(rule.name)}:`, `    signers: [${signers}]`]
}

/** A signer in the form people write: a key's name needs no quotes. */
function flow(signer: TrustRule['signers'][number]): string {
  return 'keys' in signer ? `{keys: [${signer.keys.join(', ')}]}` : JSON.stringify(signer)
}
