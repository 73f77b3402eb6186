import {Readable} from 'node:stream'
import {gunzipSync, gzipSync} from 'node:zlib'
import {expect} from 'chai'
import {type Header, pack as createPack} from 'tar-stream'
import {documentMember, type PackageFile, packArchive} from '@atomctl/wpk/archive'
import {isAtomError} from '@atomctl/wpk/errors'

export const DOCUMENT = Buffer.from('apiVersion: v1\nkind: WorkflowPackage\n')

export function member(path: string, content: string | Uint8Array, exec = false): PackageFile {
  const bytes = Buffer.from(content)
  return {path, size: bytes.length, exec, open: () => Readable.from([bytes], {objectMode: false})}
}

/** The package that the attacks start from: README.md, scripts/run.sh (executable), wpk.yaml. */
export function samplePackage(document: Uint8Array = DOCUMENT): PackageFile[] {
  return [documentMember(document), member('scripts/run.sh', '#!/bin/sh\n', true), member('README.md', '# hi\n')]
}

export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await Array.fromAsync(stream))
}

export function packed(files: PackageFile[], options = {}): Promise<Buffer> {
  return bytesOf(packArchive(files, options))
}

export async function sampleTar(document: Uint8Array = DOCUMENT): Promise<Buffer> {
  return gunzipSync(await packed(samplePackage(document)))
}

/** gzip with the canonical header, so that only the tar inside is what is tried. */
export function gzip(tar: Uint8Array): Buffer {
  const bytes = gzipSync(tar)
  bytes[9] = 255
  return bytes
}

/** A tar of any members, also of kinds that packing never writes. */
export async function tarOf(members: [Partial<Header> & {name: string}, string?][]): Promise<Buffer> {
  const pack = createPack()
  for (const [header, content] of members) {
    const full = {mode: 0o644, mtime: new Date(0), ...header}
    if (content === undefined) pack.entry(full)
    else pack.entry(full, content)
  }
  pack.finalize()
  return bytesOf(pack as unknown as AsyncIterable<Uint8Array>)
}

export function source(bytes: Uint8Array): () => Readable {
  return () => Readable.from([bytes], {objectMode: false})
}

export async function expectCode(work: Promise<unknown>, code: string, message?: RegExp): Promise<void> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  if (!isAtomError(error)) throw new Error(`expected ${code}, got ${String((error as Error | undefined)?.stack)}`)
  expect(error.code, error.message).to.equal(code)
  if (message) expect(error.message).to.match(message)
}
