import type {Claims} from '../signing/certificate.ts'
import {fingerprintOfHint} from '../signing/public-key.ts'
import type {TrustPolicy} from './policy.ts'
import {DEFAULT_RULE, type Subject} from './rules.ts'
import type {TrustRule} from './schema.ts'

/** Name for a key that the policy does not have yet. */
const NEW_KEY = 'signer'

/** A signer whom a rule does not name: the hint of a key, or whom a certificate names, which are only claims. */
export type Stranger = {readonly hint: string} | Claims

type RuleSigner = TrustRule['signers'][number]

/** A stranger as the policy would have them: the signer of a rule, and the lines for what is new. */
interface Introduction {
  readonly signer: RuleSigner
  readonly comments: readonly string[]
  readonly keys: readonly string[]
  readonly trustRoots: readonly string[]
}

/**
 * The policy lines that would trust these signers for this package, ready to paste: keys and trusted roots that the
 * policy lacks, and a rule, or the signers line of the rule that decided.
 */
export function adviseSigners(
  policy: TrustPolicy,
  rule: TrustRule,
  subject: Subject,
  strangers: readonly Stranger[],
): string {
  const taken = new Set(policy.keys.keys())
  const known = strangers.map((stranger) =>
    'hint' in stranger ? byKey(policy, stranger, taken) : byName(policy, stranger),
  )
  const all = (field: 'comments' | 'keys' | 'trustRoots'): string[] => [...new Set(known.flatMap((one) => one[field]))]
  return [
    `to trust ${strangers.length === 1 ? 'this signer' : 'these signers'}, add to ${fileOf(policy)}:`,
    ...all('comments'),
    ...headed('keys:', all('keys')),
    ...headed('trustRoots:', all('trustRoots')),
    ...ruleLines(
      rule,
      subject,
      known.map(({signer}) => signer),
    ),
  ].join('\n')
}

function headed(heading: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [heading, ...lines]
}

function byKey(policy: TrustPolicy, {hint}: {hint: string}, taken: Set<string>): Introduction {
  const known = policy.keysByHint.get(hint)
  const key = known?.name ?? freeName(taken)
  taken.add(key)
  const signer = {keys: [key]}
  if (known) return {signer, comments: [], keys: [], trustRoots: []}
  const comment = `# save the public key ${fingerprintOfHint(hint)} as ${key}.pub beside ${fileOf(policy)}`
  return {signer, comments: [comment], keys: [`  ${key}: {file: ${JSON.stringify(`${key}.pub`)}}`], trustRoots: []}
}

/** The certificate was not verified when this is shown: its claims are only claims. */
function byName(policy: TrustPolicy, claims: Claims): Introduction {
  const [known] = policy.trustRoots?.keys() ?? []
  const trustRoot = known ?? 'sigstore'
  const root = `  ${trustRoot}: {file: "trusted_root.json"}   # beside ${fileOf(policy)}; from whoever runs that Sigstore`
  const signer = {keyless: {trustRoot, identity: claims.identity, issuer: claims.issuer}}
  return {signer, comments: [], keys: [], trustRoots: known === undefined ? [root] : []}
}

function fileOf({source}: TrustPolicy): string {
  return source ?? '~/.atomctl/trust-policy.yaml'
}

function freeName(taken: ReadonlySet<string>): string {
  let name = NEW_KEY
  for (let count = 2; taken.has(name); count++) name = `${NEW_KEY}-${count}`
  return name
}

function ruleLines(rule: TrustRule, {name, registry}: Subject, signers: readonly RuleSigner[]): string[] {
  if (rule.name === DEFAULT_RULE) {
    return [
      'rules:',
      `  - name: ${JSON.stringify(name.replace(/[^A-Za-z0-9._-]/g, '-'))}`,
      `    scope: {registries: [${JSON.stringify(registry ?? '*')}], packages: [${JSON.stringify(name)}]}`,
      '    level: strict',
      `    signers: [${signers.map(flow).join(', ')}]`,
    ]
  }
  const all = [...rule.signers, ...signers].map((one) => JSON.stringify(one)).join(', ')
  return [`# and in the rule ${JSON.stringify(rule.name)}:`, `    signers: [${all}]`]
}

/** A signer in the form people write: a key's name needs no quotes. */
function flow(signer: RuleSigner): string {
  return 'keys' in signer ? `{keys: [${signer.keys.join(', ')}]}` : JSON.stringify(signer)
}
