import type {VerifiedDocument} from '@atomctl/wpk/trust'
import type {AtomContext} from './context.ts'
import type {GatePass, SignatureRequirement, VerifiedFile, VerifiedPackage, VerifiedWorkflow} from './gate.ts'
import {AtomError, describeFailure, isAtomError, optionsOf} from './errors.ts'
import {isFileReference, loadPackage, type LocalPackage, parseWorkflowId} from './packages/index.ts'

export type {GatePass, SignatureRequirement, VerifiedFile, VerifiedPackage, VerifiedWorkflow}

/**
 * Verifies every subject against every policy in force; all are read and checked before the first answer, so a
 * command never acts on some of its arguments.
 * @throws the first refusal: WPK_INVALID, WPK_UNSIGNED, WPK_TAMPERED, SIGNER_UNTRUSTED, …
 */
export async function verifySubjects(
  subjects: readonly string[],
  requirement: SignatureRequirement,
  context: AtomContext,
): Promise<Map<string, VerifiedPackage>> {
  const packages = new Map<string, VerifiedPackage>()
  for (const subject of subjects) packages.set(subject, await verifySubject(subject, requirement, context))
  return packages
}

async function verifySubject(
  subject: string,
  {accepts, unsigned}: SignatureRequirement,
  context: AtomContext,
): Promise<VerifiedPackage> {
  const isFile = accepts === 'file' || (accepts === 'file-or-workflow' && isFileReference(subject))
  try {
    if (!isFile) return await verifyWorkflow(subject, context)
    // What goes to the registry is judged by the rules for it. What only runs has nothing to do with it: a project's
    // file must not choose, by naming a registry, which of the user's rules applies.
    const registry = accepts === 'file' ? await context.registryUrl() : await context.ownRegistryUrl()
    return await verifyFile(subject, context, {registry})
  } catch (error) {
    if (!unsigned || !isAtomError(error) || error.code !== 'WPK_UNSIGNED') throw error
    throw new AtomError(error.code, `${unsigned}: ${error.message}`, optionsOf(error))
  }
}

/** Loads a local package and verifies it; `registry` replaces the one in force, undefined means that there is none. */
export async function verifyFile(
  path: string,
  context: AtomContext,
  options: {registry?: string | undefined} = {},
): Promise<VerifiedFile> {
  const local = await loadPackage(path)
  const verified = await verifyAgainstPolicies(local.document, context, {files: [...local.files], ...options})
  return {origin: 'file', verified, package: local}
}

/** Fetches a workflow and verifies that what came is what the id names, signed by someone trusted. */
export async function verifyWorkflow(id: string, context: AtomContext): Promise<VerifiedWorkflow> {
  const registry = await context.registry()
  const {content, contentText} = await registry.get(id).catch((error: unknown) => {
    throw describeFailure('Failed to fetch workflow', error)
  })
  const {documentFromJson} = await import('@atomctl/wpk/document')
  const {document, findings} = documentFromJson(content, id)
  if (!document) {
    throw new AtomError('WPK_INVALID', `${id}: the registry holds no valid package under this id`, {
      details: {findings},
    })
  }
  const verified = await verifyAgainstPolicies(document, context, {expect: parseWorkflowId(id) ?? {name: id}})
  return {origin: 'registry', verified, id, contentText}
}

type PolicyOptions = NonNullable<Parameters<typeof import('@atomctl/wpk/trust').verifyDocument>[2]>
type VerifyOptions = Omit<PolicyOptions, 'registry'> & {readonly registry?: string | undefined}

/**
 * Verifies a document against every policy in force. The verdict kept is the user's own, unless it skipped the checks
 * and another policy did not: nothing that one policy established is lost because another one looks away.
 */
export async function verifyAgainstPolicies(
  document: LocalPackage['document'],
  context: AtomContext,
  options: VerifyOptions,
): Promise<VerifiedDocument> {
  const [{verifyDocument}, policies] = await Promise.all([import('@atomctl/wpk/trust'), context.trustPolicies()])
  const {registry, ...rest} = 'registry' in options ? options : {...options, registry: await context.registryUrl()}
  const asked = registry === undefined ? rest : {...rest, registry}
  const verdicts = policies.map(({policy}) => verifyDocument(document, policy, asked))
  const checked = verdicts.filter(({verification}) => verification.level !== 'skip')
  const counting = checked.length > 0 ? checked : verdicts
  const [verified] = counting
  if (!verified) throw new AtomError('GATE_NOT_RUN', 'no trust policy is in force')
  context.warnings.push(...new Set(counting.flatMap(({verification}) => verification.warnings)))
  return verified
}
