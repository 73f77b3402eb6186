import type {AtomContext} from '@atomctl/sdk/context'
import {isAtomError} from '@atomctl/sdk/errors'
import {isFileReference, loadPackage, type LocalPackage, parseWorkflowId} from '@atomctl/sdk/packages'
import type {TrustPolicy} from '@atomctl/wpk/trust'
import type {TrustExplanation} from '@atomctl/wpk/trust/policy-check'

/** What a policy makes of a file as it is now. */
export interface Outcome {
  readonly accepted: boolean
  readonly signers: string[]
  /** Why it is refused, and what would change that. */
  readonly code?: string
  readonly reason?: string
  readonly hint?: string
}

export interface PolicyExplanation {
  subject: string
  package: string
  /** Absent for a file that comes from no registry and goes to none. */
  registry?: string
  policies: (TrustExplanation & {outcome?: Outcome})[]
}

/** Which rule of each policy in force decides about a package; for a file also what it makes of its signature. */
export async function explainSubject(name: string, atom: AtomContext): Promise<PolicyExplanation> {
  const local = isFileReference(name) ? await loadPackage(name) : undefined
  const registry = local ? await atom.ownRegistryUrl() : await atom.registryUrl()
  const subject = {name: local?.document.name ?? parseWorkflowId(name)?.name ?? name, registry}
  const [{explainTrust}, policies] = await Promise.all([
    import('@atomctl/wpk/trust/policy-check'),
    atom.trustPolicies(),
  ])
  const explained = policies.map(({policy}) => ({policy, explanation: explainTrust(policy, subject)}))
  return {
    subject: name,
    package: subject.name,
    ...(registry === undefined ? {} : {registry}),
    policies: await Promise.all(
      explained.map(async ({policy, explanation}) =>
        local ? {...explanation, outcome: await judge(local, policy, registry)} : explanation,
      ),
    ),
  }
}

async function judge(
  {document, files}: LocalPackage,
  policy: TrustPolicy,
  registry: string | undefined,
): Promise<Outcome> {
  const {verifyDocument} = await import('@atomctl/wpk/trust')
  try {
    const options = {files: [...files], ...(registry === undefined ? {} : {registry})}
    const {verification} = verifyDocument(document, policy, options)
    const reason = verification.warnings.join('; ')
    return {accepted: true, signers: verification.signers.map(nameOf), ...(reason ? {reason} : {})}
  } catch (error) {
    if (!isAtomError(error)) throw error
    const {code, message: reason, hint} = error
    return {accepted: false, signers: [], code, reason, ...(hint === undefined ? {} : {hint})}
  }
}

function nameOf(signer: {key?: string; fingerprint?: string; identity?: string}): string {
  return signer.key ?? signer.identity ?? signer.fingerprint ?? ''
}
