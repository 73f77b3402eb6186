import {createHash} from 'node:crypto'
import {workflowDetail, type WorkflowEntry} from '@atomctl/protocol/registry'
import type {JsonObject} from '@atomctl/wpk/canonical'
import {AtomError, isAtomError} from '../errors.ts'
import {encodeSegment, type HttpResponse, jsonText, notProtocol, readJson, type Service} from '../http/index.ts'
import {exactMember} from './content.ts'

/** A workflow as the registry holds it. */
export interface StoredWorkflow {
  readonly entry: WorkflowEntry
  readonly content: JsonObject
  /** The same content as JSON text with every number as the registry wrote it, to be passed on to a runtime. */
  readonly contentText: string
}

/** The bytes of a package as they were pushed. */
export interface Download {
  /** `sha256:<hex>`; reading `chunks` to the end fails with PROTOCOL when they differ. */
  readonly digest?: string
  readonly mediaType: string
  /** Bytes. */
  readonly size?: number
  readonly chunks: AsyncIterable<Uint8Array>
}

export async function fetchWorkflow(service: Service, id: string): Promise<StoredWorkflow> {
  const response = await service.request({method: 'GET', path: `/workflows/${encodeSegment(id)}`})
  const {wpk_content: content, ...entry} = readJson(response, workflowDetail)
  if (entry.id !== id) throw notProtocol(response, `answered another workflow than ${id}`)
  return {entry, content, contentText: exactContent(response)}
}

function exactContent(response: HttpResponse): string {
  try {
    return exactMember(jsonText(response), 'wpk_content')
  } catch (cause) {
    if (isAtomError(cause)) throw cause
    throw notProtocol(response, 'answered JSON that is nested too deep', cause)
  }
}

/** Undefined when the registry keeps no bytes to download, as the original. */
export async function downloadPackage(service: Service, id: string): Promise<Download | undefined> {
  const path = `/workflows/${encodeSegment(id)}/content`
  if (!(await service.supports('tarballs'))) return undefined
  const headers = {accept: 'application/yaml, application/gzip'}
  const {headers: received, body} = await service.stream({method: 'GET', path, headers})
  const digest = /^(?:W\/)?"(sha256:[0-9a-f]{64})"$/.exec(received['etag'] ?? '')?.[1]
  const size = received['content-length']
  return {
    mediaType: received['content-type'] ?? 'application/octet-stream',
    ...(digest === undefined ? {} : {digest}),
    ...(size === undefined ? {} : {size: Number(size)}),
    chunks: digest === undefined ? body : checked(body, digest, service),
  }
}

async function* checked(body: AsyncIterable<Uint8Array>, digest: string, service: Service): AsyncIterable<Uint8Array> {
  const hash = createHash('sha256')
  for await (const chunk of body) {
    hash.update(chunk)
    yield chunk
  }
  if (`sha256:${hash.digest('hex')}` === digest) return
  throw notProtocol({origin: service.origin, service: service.name}, 'sent bytes that do not match their digest')
}

/** The bundle of a package: the detached one of a tarball, else the one in the document; undefined without. Throws SIGNATURE_MALFORMED when it is no JSON object. */
export async function fetchBundle(service: Service, id: string): Promise<object | undefined> {
  const path = `/workflows/${encodeSegment(id)}/bundle`
  if (!(await service.supports('tarballs'))) return undefined
  try {
    const bundle: unknown = JSON.parse(jsonText(await service.request({method: 'GET', path})))
    if (typeof bundle === 'object' && bundle !== null) return bundle
  } catch (error) {
    if (isAtomError(error) && error.code === 'NOT_FOUND') return undefined
    if (!(error instanceof SyntaxError)) throw error
  }
  throw new AtomError('SIGNATURE_MALFORMED', `The registry's bundle of ${id} is not a JSON object`)
}
