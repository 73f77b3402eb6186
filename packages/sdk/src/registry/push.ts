import {type PushReply, pushReply} from '@atomctl/protocol/registry'
import {documentDigest} from '@atomctl/wpk/canonical'
import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {AtomError, isAtomError} from '../errors.ts'
import {type Clock, notProtocol, notSupported, readJson, type Service} from '../http/index.ts'
import {signatureOf} from './content.ts'
import {fetchWorkflow, type StoredWorkflow} from './fetch.ts'
import {expectedDigest, type PackageUpload, uploadBody} from './upload.ts'
import {assertVerified} from './verified.ts'

export interface PushedPackage {
  readonly id: string
  readonly status: string
  /** `sha256:<hex>` of the stored bytes, where known. */
  readonly digest?: string
  /** False when the registry had the same package already. */
  readonly created?: boolean
}

const CONFIRM_ATTEMPTS = 3
const CONFIRM_DELAY = 300

/**
 * Uploads a verified package. A registry that announces `immutable` protects what it holds itself; the original
 * overwrites silently, so it is asked before and after (protocol sections 2.2 and 7).
 * Throws VERSION_EXISTS, NOT_SUPPORTED (tarball), WPK_TAMPERED (the file changed), and what `HttpClient` throws.
 */
export async function pushPackage(
  service: Service,
  verified: VerifiedDocument,
  upload: PackageUpload,
  clock: Clock,
): Promise<PushedPackage> {
  await assertVerified(verified)
  if (upload.kind === 'tarball' && !(await service.supports('tarballs'))) throw noTarballs(service)
  if (await service.supports('immutable')) return send(service, verified, upload)
  const present = upload.overwrite ? undefined : await find(service, verified.document.id)
  if (present) return compare(present, verified)
  const pushed = await send(service, verified, upload)
  await confirm(service, verified, clock)
  return pushed
}

/** A push may be sent again: the same bytes under the same version change nothing. */
async function send(service: Service, verified: VerifiedDocument, upload: PackageUpload): Promise<PushedPackage> {
  const body = await uploadBody(verified, upload)
  const response = await service.request({method: 'POST', path: '/workflows', body, idempotent: true})
  const reply = readJson(response, pushReply)
  const digest = expectedDigest(verified, upload)
  checkReply(reply, verified.document.id, digest, service)
  const created = reply.created === undefined ? {} : {created: reply.created}
  return {id: reply.workflow_id, status: reply.status, digest, ...created}
}

function checkReply(
  {workflow_id: id, digest}: PushReply,
  expectedId: string,
  expected: string,
  service: Service,
): void {
  const where = {origin: service.origin, service: service.name}
  if (id !== expectedId) throw notProtocol(where, `registered the package under another id than ${expectedId}`)
  if (digest !== undefined && digest !== expected) throw notProtocol(where, 'stored other bytes than it was sent')
}

async function find(service: Service, id: string): Promise<StoredWorkflow | undefined> {
  try {
    return await fetchWorkflow(service, id)
  } catch (error) {
    if (isAtomError(error) && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

function compare({entry, content}: StoredWorkflow, {document, digest}: VerifiedDocument): PushedPackage {
  const same = documentDigest(content) === digest
  if (same && signatureOf(content) === signatureOf(document.value)) {
    return {id: entry.id, status: 'registered', created: false}
  }
  const difference = same ? 'the same content and another signature' : 'other content'
  throw new AtomError('VERSION_EXISTS', `The registry holds ${document.id} with ${difference}`, {
    hint: same
      ? 'replace it with --overwrite'
      : `raise metadata.version; atomctl diff ${document.source} ${document.id}`,
    details: {id: document.id},
  })
}

/** A 200 does not prove that the entry exists: several replicas of the original lose updates (protocol section 7). */
async function confirm(service: Service, {document, digest}: VerifiedDocument, clock: Clock): Promise<void> {
  for (let attempt = 1; attempt <= CONFIRM_ATTEMPTS; attempt++) {
    const stored = await find(service, document.id)
    if (stored && documentDigest(stored.content) === digest) return
    if (stored) throw new AtomError('CONFLICT', `${document.id} was overwritten by someone else during the push`)
    if (attempt < CONFIRM_ATTEMPTS) await clock.sleep(CONFIRM_DELAY)
  }
  throw new AtomError('UNAVAILABLE', `The registry accepted ${document.id} and does not have it`, {
    hint: `push it again; several replicas of the original registry lose updates`,
    details: {origin: service.origin},
  })
}

function noTarballs(service: Service): AtomError {
  return notSupported(service, 'takes documents only, not tarballs', 'push the .wpk.yaml file itself')
}
