import {createHash} from 'node:crypto'
import type {ExecutionRequest} from '@atomctl/protocol/runtime'
import type {JsonObject} from '@atomctl/protocol/values'
import {canonicalJson} from '@atomctl/wpk/canonical'
import {documentFromJson, type WpkDocument} from '@atomctl/wpk/document'
import {lint} from '@atomctl/wpk/lint'
import {checkParameters, declarationsOf} from '@atomctl/wpk/parameters'
import {ownRegistryName, verifyDocument, type TrustPolicy, type VerifiedDocument} from '@atomctl/wpk/trust'
import type {Handler} from './handlers/handler.ts'
import {readProgram, type Program} from './program.ts'
import {invalid, refusalOf, refuse, Refusal} from './refusal.ts'
import {checkEnvironment, checkProgram, isUnfilled, unsupportedHandlers} from './support.ts'

export interface AdmissionOptions {
  readonly trustPolicy: () => Promise<TrustPolicy>
  readonly registryUrls: () => readonly string[]
  readonly handlers: ReadonlyMap<string, Handler>
  readonly hasPackages: boolean
  hasPassedDryRun(documentDigest: string, parametersDigest: string): Promise<boolean>
}

export interface Admitted {
  readonly verified: VerifiedDocument
  readonly program: Program
  /** With defaults filled in. */
  readonly parameters: JsonObject
  readonly parametersDigest: string
}

/**
 * Decides whether a request may become an execution: the document's form, its signature, the security policy, the
 * parameters, and whether this runtime can do what it asks. Throws a Refusal; never admits what it would only pretend
 * to run. A dry run of what this runtime cannot do is admitted: it says so step by step.
 */
export async function admit(request: ExecutionRequest, options: AdmissionOptions): Promise<Admitted> {
  const document = readRequested(request.wpk_content)
  const verified = await verify(document, request.workflow_id, options)
  checkPolicy(document.value, request.dry_run)
  const program = readProgram(document.value)
  const parameters = readParameters(document.value, request.parameters ?? {})
  const parametersDigest = `sha256:${createHash('sha256').update(canonicalJson(parameters)).digest('hex')}`
  if (!request.dry_run) await checkSupport(verified, program, parametersDigest, options)
  const problems = checkEnvironment(program, parameters)
  if (problems.length > 0) throw invalid('PARAMETER_INVALID', problems, ['parameters'])
  const names = declarationsOf(document.value)?.map(({name}) => name) ?? []
  const findings = checkProgram(program, [...Object.keys(parameters), ...names], options.handlers)
  // What has no value yet is what a dry run is there to show.
  const fatal = findings.filter(({rule}) => !request.dry_run || !isUnfilled(rule))
  if (fatal.length > 0) throw invalid('WPK_INVALID', fatal, ['wpk_content'])
  return {verified, program, parameters, parametersDigest}
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
      expect: promisedBy(workflowId),
      ...(registry === undefined ? {} : {registry}),
    })
  } catch (error) {
    throw refusalOf(error, 403)
  }
}

/** What an id of the form name-version promises; the history must not name a package that did not run. */
function promisedBy(workflowId: string): {name?: string; version?: string} {
  return /^(?<name>[a-z0-9-]+)-(?<version>[0-9]+\.[0-9]+\.[0-9]+)$/.exec(workflowId)?.groups ?? {}
}

function checkPolicy(value: JsonObject, isDryRun: boolean): void {
  const report = lint(value)
  if (report.decision === 'review' && isAutomatic(value) && !isDryRun)
    throw notSupported(`Risk score ${report.score} needs an approval in auto mode, which this runtime cannot take`)
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

function isAutomatic(value: JsonObject): boolean {
  return readProgram(value).mode === 'auto'
}

function readParameters(value: JsonObject, given: JsonObject): JsonObject {
  const declarations = declarationsOf(value)
  const findings = checkParameters(declarations, given).filter(({severity}) => severity === 'error')
  if (findings.length > 0) throw invalid('PARAMETER_INVALID', findings, ['parameters'])
  const defaults = (declarations ?? []).flatMap((declaration) =>
    declaration.default === undefined ? [] : [[declaration.name, declaration.default] as const],
  )
  // A secret has no place in what is stored; real runs that declare one are refused before anything is.
  const secrets = new Set(declarations?.filter(({type}) => type === 'secret').map(({name}) => name))
  const open = Object.entries(given).filter(([name]) => !secrets.has(name))
  return Object.fromEntries([...defaults, ...open])
}

async function checkSupport(
  verified: VerifiedDocument,
  program: Program,
  parametersDigest: string,
  options: AdmissionOptions,
): Promise<void> {
  const available = `available: ${[...options.handlers.keys()].join(', ')}`
  const missing = unsupportedHandlers(program, options.handlers)
  if (missing.length > 0) throw notSupported(`This runtime cannot run ${missing.join('; ')} (${available})`)
  if (program.approvalRequired)
    throw notSupported('The package asks for an approval (safety.approval_required), which this runtime cannot take')
  const secret = declarationsOf(verified.document.value)?.find(({type}) => type === 'secret')
  if (secret) throw notSupported(`Parameter "${secret.name}" is a secret, which this runtime cannot resolve`)
  if (verified.verification.files.length > 0 && !options.hasPackages)
    throw notSupported('The package brings files along, and this runtime has no registry to fetch them from')
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
