import {randomUUID} from 'node:crypto'
import {type Approval, executionStarted} from '@atomctl/protocol/runtime'
import {documentDigest, type Json, type JsonObject} from '@atomctl/wpk/canonical'
import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {AtomError, isAtomError} from '../errors.ts'
import {notSupported, readJson, type RequestBody, type Service} from '../http/index.ts'
import {assertVerified, findImpreciseNumber} from '../registry/index.ts'

export interface ExecuteRequest {
  readonly workflowId: string
  /** The registry's own JSON text of the content, sent on unchanged. Default: the verified document. */
  readonly contentText?: string | undefined
  readonly parameters?: Readonly<Record<string, Json>> | undefined
  readonly dryRun?: boolean | undefined
  /** Only sent where announced. Default: a new one. */
  readonly idempotencyKey?: string | undefined
  /** The package brings files along, so the runtime has to fetch them. */
  readonly packageFiles?: boolean | undefined
  /** Why an administrator runs it without approval, dry run and regard to freeze windows. */
  readonly breakGlass?: string | undefined
}

export interface StartedExecution {
  readonly executionId: string
  /** What it waits for before it starts. */
  readonly approval?: Approval
}

/**
 * Starts an execution. With an Idempotency-Key the runtime understands, a lost answer is asked for again; without one
 * the request is sent exactly once, because every POST is a new run (protocol section 3.2).
 * Throws GATE_NOT_RUN, WPK_TAMPERED when `contentText` is not the verified document, NOT_SUPPORTED for package files.
 */
export async function executePackage(
  service: Service,
  verified: VerifiedDocument,
  request: ExecuteRequest,
): Promise<StartedExecution> {
  await assertVerified(verified)
  const content = request.contentText ?? JSON.stringify(verified.document.value)
  assertSame(content, verified)
  if (request.breakGlass !== undefined && !(await service.supports('approvals'))) throw noGlass(service)
  if (request.packageFiles && !(await service.supports('verified-execution'))) throw noFiles(service)
  const idempotent = await service.supports('idempotency-key')
  const headers: Record<string, string> = idempotent ? {'idempotency-key': request.idempotencyKey ?? randomUUID()} : {}
  const body = requestBody(content, request)
  try {
    const response = await service.request({method: 'POST', path: '/execute', body, headers, idempotent})
    const {execution_id: executionId, approval} = readJson(response, executionStarted)
    return {executionId, ...(approval ? {approval} : {})}
  } catch (error) {
    throw idempotent ? error : warnOfStart(error)
  }
}

/** The text must mean to every reader what was verified: the same document, no number that is known only rounded. */
function assertSame(text: string, {document, digest}: VerifiedDocument): void {
  const imprecise = findImpreciseNumber(text)
  if (imprecise !== undefined) {
    throw new AtomError(
      'WPK_TAMPERED',
      `${document.id} holds the number ${imprecise.slice(0, 100)}, which no signature protects`,
      {
        hint: 'quote it in the package, then sign and push it again',
      },
    )
  }
  if (documentDigest(JSON.parse(text) as JsonObject) === digest) return
  throw new AtomError('WPK_TAMPERED', `The content to run is not the content of ${document.id} that was verified`)
}

// The content goes in as text: parsing and writing it again would make `1.0` a `1`.
function requestBody(content: string, request: ExecuteRequest): RequestBody {
  const {workflowId, parameters = {}, dryRun = false, breakGlass} = request
  const members = [
    `"workflow_id":${JSON.stringify(workflowId)}`,
    `"wpk_content":${content}`,
    `"parameters":${JSON.stringify(parameters)}`,
    `"dry_run":${dryRun}`,
    ...(breakGlass === undefined ? [] : [`"break_glass":${JSON.stringify({reason: breakGlass})}`]),
  ]
  const bytes = Buffer.from(`{${members.join(',')}}`)
  return {contentType: 'application/json', length: bytes.length, open: () => bytes}
}

function noGlass(service: Service): AtomError {
  return notSupported(service, 'knows no --break-glass', 'leave it out: it enforces nothing that it could pass by')
}

function noFiles(service: Service): AtomError {
  return notSupported(service, 'cannot fetch the files of a package', 'run it on a runtime of atomctl: atomctl dev up')
}

const NEVER_SENT: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/** What leaves open whether the request took effect. */
const UNCERTAIN: ReadonlySet<string> = new Set(['UNAVAILABLE', 'TIMEOUT', 'PROTOCOL', 'INTERRUPTED'])

/** Whether an error of `execute` means for certain that nothing was started: it was refused, or never sent. */
export function isNotStarted(error: unknown): boolean {
  if (!isAtomError(error)) return false
  return !UNCERTAIN.has(error.code) || NEVER_SENT.has(error.details?.['reason'])
}

/** A lost answer of an original runtime leaves open whether the execution runs; the reader has to know. */
function warnOfStart(error: unknown): unknown {
  if (!isAtomError(error) || (error.code !== 'UNAVAILABLE' && error.code !== 'TIMEOUT')) return error
  if (error.details?.['status'] !== undefined || NEVER_SENT.has(error.details?.['reason'])) return error
  return new AtomError(error.code, `${error.message}; the execution may have started nevertheless`, {
    hint: 'look at its effects before you run it again: this runtime cannot tell a repetition from a new run',
    ...(error.details ? {details: error.details} : {}),
    cause: error,
  })
}
