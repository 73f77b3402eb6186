import {createHash} from 'node:crypto'
import type {ExecutionRequest} from '@atomctl/protocol/runtime'
import type {JsonObject} from '@atomctl/protocol/values'
import {canonicalJson} from '@atomctl/wpk/canonical'
import {documentFromJson, type WpkDocument} from '@atomctl/wpk/document'
import {lint, type LintReport} from '@atomctl/wpk/lint'
import {declarationsOf, secretNamesOf, secretsNamedBy} from '@atomctl/wpk/parameters'
import {ownRegistryName, verifyDocument, type TrustPolicy, type VerifiedDocument} from '@atomctl/wpk/trust'
import type {Handler} from './handlers/handler.ts'
import type {Identity} from './identity.ts'
import {readParameters} from './inputs.ts'
import {checkLimits} from './limits.ts'
import type {SafetyRules} from './options.ts'
import {readProgram, type Program} from './program.ts'
import {invalid, refusalOf, refuse, Refusal} from './refusal.ts'
import {approvalNeed, checkBreakGlass, checkFreeze, readSafety, type ApprovalNeed} from './safety.ts'
import {secretNeeds} from './secrets/needs.ts'
import type {SecretReader} from './secrets/reader.ts'
import {checkEnvironment, checkProgram, isUnfilled, unsupportedHandlers} from './support.ts'

export interface AdmissionOptions {
  readonly trustPolicy: () => Promise<TrustPolicy>
  readonly registryUrls: () => readonly string[]
  readonly handlers: ReadonlyMap<string, Handler>
  readonly hasPackages: boolean
  /** Somebody could approve an execution here. */
  readonly takesApprovals: boolean
  readonly secrets: SecretReader
  safety(): SafetyRules | Promise<SafetyRules>
  hasPassedDryRun(documentDigest: string, parametersDigest: string): Promise<boolean>
}

export interface Admitted {
  readonly verified: VerifiedDocument
  readonly program: Program
  /** With defaults filled in. */
  readonly parameters: JsonObject
  readonly parametersDigest: string
  /** The execution has to wait for people. */
  readonly approval: ApprovalNeed | undefined
}

/**
 * Decides whether a request may become an execution: the document's form, its signature, the security policy, the
 * parameters, and whether this runtime can do what it asks. Throws a Refusal; never admits what it would only pretend
 * to run. A dry run of what this runtime cannot do is admitted: it says so step by step.
 */
export async function admit(
  request: ExecutionRequest,
  identity: Identity,
  options: AdmissionOptions,
): Promise<Admitted> {
  if (request.break_glass) checkBreakGlass(identity)
  const document = readRequested(request.wpk_content)
  const verified = await verify(document, request.workflow_id, options)
  const report = lint(document.value)
  checkPolicy(report)
  const program = readProgram(document.value)
  const parameters = readParameters(document.value, request.parameters ?? {})
  const parametersDigest = digestOf(parameters)
  const isBound = !request.dry_run && !request.break_glass
  const approval = isBound ? approvalNeed(program, report) : undefined
  if (!request.dry_run) checkSupport(verified, program, options)
  if (!request.dry_run) checkSecrets(verified, program, options)
  if (approval && !options.takesApprovals)
    throw notSupported(`${approval.reason}, and nobody can approve it on this runtime`)
  const names = declarationsOf(document.value)?.map(({name}) => name) ?? []
  const unset = Object.fromEntries(secretNamesOf(declarationsOf(document.value)).map((name) => [name, '']))
  const problems = checkEnvironment(program, {...parameters, ...unset})
  if (problems.length > 0) throw invalid('PARAMETER_INVALID', problems, ['parameters'])
  const findings = checkProgram(program, [...Object.keys(parameters), ...names], options.handlers)
  // What has no value yet is what a dry run is there to show.
  const fatal = findings.filter(({rule}) => !request.dry_run || !isUnfilled(rule))
  if (fatal.length > 0) throw invalid('WPK_INVALID', fatal, ['wpk_content'])
  const rules = request.dry_run ? {} : await readSafety(options.safety)
  // No emergency makes it right to reach further than somebody thought through beforehand.
  checkLimits(program, parameters, rules)
  if (isBound) checkFreeze(rules, new Date())
  if (isBound) await checkDryRun(verified, program, parametersDigest, options)
  return {verified, program, parameters, parametersDigest, approval}
}

/** The digest of parameters with their defaults: what dry runs and approvals are bound to. */
export function digestOf(parameters: JsonObject): string {
  return `sha256:${createHash('sha256').update(canonicalJson(parameters)).digest('hex')}`
}

function readRequested(content: JsonObject): WpkDocument {
  const {document, findings} = documentFromJson(content, 'wpk_content')
  if (document) return document
  throw invalid(
    'WPK_INVALID',
    findings.filter(({severity}) => severity === 'error'),
    ['wpk_content'],
  )
}

async function verify(
  document: WpkDocument,
  workflowId: string,
  {trustPolicy, registryUrls}: AdmissionOptions,
): Promise<VerifiedDocument> {
  const policy = await trustPolicy().catch((error: unknown) => {
    throw refusalOf(error, 503)
  })
  try {
    const registry = ownRegistryName(document, registryUrls())
    return verifyDocument(document, policy, {
      expect: promisedBy(workflowId, document),
      ...(registry === undefined ? {} : {registry}),
    })
  } catch (error) {
    throw refusalOf(error, 403)
  }
}

/**
 * What an id that looks like name-version promises, in whatever spelling; the history must not name a package that did
 * not run. Anything else is a label: the protocol takes free text.
 */
function promisedBy(workflowId: string, document: WpkDocument): {name?: string; version?: string} {
  if (workflowId === document.id) return {}
  return /^(?<name>.*?)-(?<version>v?[0-9]+\.[0-9]+\.[0-9]+.*)$/is.exec(workflowId)?.groups ?? {}
}

function checkPolicy(report: LintReport): void {
  if (report.decision !== 'block') return
  const findings = report.findings.filter(({suppressed}) => suppressed === undefined)
  const detail = `The security policy blocks this package: risk score ${report.score}`
  throw new Refusal(403, {
    detail,
    code: 'POLICY_BLOCKED',
    hint: 'atomctl validate',
    findings: findings.map((finding) => ({...finding})),
  })
}

function checkSupport(verified: VerifiedDocument, program: Program, options: AdmissionOptions): void {
  const available = `available: ${[...options.handlers.keys()].join(', ')}`
  const missing = unsupportedHandlers(program, options.handlers)
  if (missing.length > 0) throw notSupported(`This runtime cannot run ${missing.join('; ')} (${available})`)
  if (verified.verification.files.length > 0 && !options.hasPackages)
    throw notSupported('The package brings files along, and this runtime has no registry to fetch them from')
}

/** What could never be read here is refused before anything is done; whether the rest can be, the steps find out. */
function checkSecrets({document}: VerifiedDocument, {handlers, rollback}: Program, {secrets}: AdmissionOptions): void {
  const needs = secretNeeds(document.value)
  const names = needs.map(({name}) => name)
  const used = new Set([...handlers, ...rollback].flatMap((spec) => secretsNamedBy(spec, names)))
  const refusals = needs.filter(({name}) => used.has(name)).flatMap((need) => secrets.refuse(need) ?? [])
  if (refusals.length > 0) throw refuse(403, 'SECRET_DENIED', refusals.join('; '))
}

async function checkDryRun(
  verified: VerifiedDocument,
  program: Program,
  parametersDigest: string,
  options: AdmissionOptions,
): Promise<void> {
  const isMissingDryRun = program.dryRunRequired && !(await options.hasPassedDryRun(verified.digest, parametersDigest))
  if (!isMissingDryRun) return
  throw refuse(
    409,
    'DRY_RUN_REQUIRED',
    'The package must pass a dry run with the same parameters first (safety.dry_run_required)',
    `atomctl run ${verified.document.id} --dry-run`,
  )
}

function notSupported(detail: string): Refusal {
  return refuse(501, 'NOT_SUPPORTED', detail, 'A dry run works: add --dry-run')
}
