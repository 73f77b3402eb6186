import type {AtomContext} from '../context.ts'
import {AtomError, describeFailure} from '../errors.ts'
import {isFileReference, loadPackage} from '../packages/index.ts'
import type {WpkDocument} from '@atomctl/wpk/document'
import type {WorkflowEntry} from '@atomctl/protocol/registry'

/** A package somebody wants to look at: nothing is verified, nothing may be done with it. */
export interface Subject {
  readonly document: WpkDocument
  readonly entry?: WorkflowEntry
  readonly files: readonly {path: string; size: number}[]
}

/** Reads a file, or fetches a workflow ID. @throws what reading and the registry throw. */
export async function readSubject(reference: string, context: AtomContext): Promise<Subject> {
  if (isFileReference(reference)) {
    const {document, files} = await loadPackage(reference)
    return {document, files}
  }
  const registry = await context.registry()
  const {entry, content} = await registry.get(reference).catch((error: unknown) => {
    throw describeFailure('Failed to fetch workflow', error)
  })
  const {documentFromJson} = await import('@atomctl/wpk/document')
  const {document, findings} = documentFromJson(content, reference)
  if (!document) throw new AtomError('WPK_INVALID', `${reference}: not a valid package`, {details: {findings}})
  return {document, entry, files: []}
}
