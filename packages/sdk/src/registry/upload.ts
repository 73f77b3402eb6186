import {createHash} from 'node:crypto'
import {openAsBlob} from 'node:fs'
import {basename} from 'node:path'
import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {AtomError} from '../errors.ts'
import {type Content, type FilePart, multipartBody, type RequestBody} from '../http/index.ts'

export type UploadFile = {readonly path: string} | {readonly bytes: Uint8Array}

interface UploadOptions {
  readonly file: UploadFile
  /** Called with the bytes sent so far; starts again from 0 when the upload is retried. */
  readonly onProgress?: (sent: number) => void
  /** Replaces another document of the same version where the registry allows it, as the original does. */
  readonly overwrite?: boolean
}

/** A document: the bytes that were verified. */
export interface DocumentUpload extends UploadOptions {
  readonly kind: 'yaml'
}

/** A packed package. */
export interface TarballUpload extends UploadOptions {
  readonly kind: 'tarball'
  /** `sha256:<hex>` of the archive whose document was verified; other bytes are not sent to their end. */
  readonly digest: string
  /** The detached bundle of the tarball. */
  readonly bundle?: object
}

export type PackageUpload = DocumentUpload | TarballUpload

/** `sha256:<hex>` of the bytes that may be uploaded for this document. */
export function expectedDigest(verified: VerifiedDocument, upload: PackageUpload): string {
  return upload.kind === 'tarball' ? upload.digest : sha256(verified.document.bytes)
}

export async function uploadBody(verified: VerifiedDocument, upload: PackageUpload): Promise<RequestBody> {
  const {file, kind} = upload
  const blob = 'path' in file ? await openAsBlob(file.path) : new Blob([new Uint8Array(file.bytes)])
  const extension = kind === 'yaml' ? 'wpk.yaml' : 'wpk.tar.gz'
  const part: FilePart = {
    field: 'file',
    filename: 'path' in file ? basename(file.path) : `${verified.document.id}.${extension}`,
    contentType: kind === 'yaml' ? 'application/x-yaml' : 'application/gzip',
    content: checkedContent(blob, expectedDigest(verified, upload), upload.onProgress),
  }
  return multipartBody('bundle' in upload && upload.bundle ? [part, bundlePart(upload.bundle)] : [part])
}

function bundlePart(bundle: object): FilePart {
  const content = new Blob([JSON.stringify(bundle)])
  return {field: 'bundle', filename: 'bundle.sigstore.json', contentType: 'application/json', content}
}

// The form is never completed when the file is not the one that was verified, so the registry cannot store it.
function checkedContent(blob: Blob, digest: string, onProgress?: (sent: number) => void): Content {
  return {
    size: blob.size,
    async *stream() {
      const hash = createHash('sha256')
      let sent = 0
      for await (const chunk of blob.stream()) {
        hash.update(chunk)
        yield chunk
        onProgress?.((sent += chunk.length))
      }
      if (`sha256:${hash.digest('hex')}` !== digest) throw changed()
    },
  }
}

function changed(): AtomError {
  return new AtomError('WPK_TAMPERED', 'The file is not the one that was verified: it changed before it was uploaded', {
    hint: 'push it again, and let nothing write to it meanwhile',
  })
}

export function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
