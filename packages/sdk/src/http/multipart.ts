import {randomBytes} from 'node:crypto'
import type {RequestBody} from './options.ts'

/** One part of a form: bytes that can be read again for every attempt. */
export interface FilePart {
  readonly field: string
  readonly filename: string
  readonly contentType: string
  readonly content: Blob
}

const encoder = new TextEncoder()

/**
 * A `multipart/form-data` body of file parts (RFC 7578). Written here rather than with FormData because that hides the
 * bytes: this one streams in constant memory, knows its length and lets `onChunk` see the bytes of each part pass.
 * The original registry takes a part without a plain ASCII `filename` for a text field (protocol section 2.2).
 */
export function multipartBody(
  parts: readonly FilePart[],
  onChunk?: (part: FilePart, chunk: Uint8Array) => void,
): RequestBody {
  const boundary = `atomctl-${randomBytes(18).toString('base64url')}`
  const closing = encoder.encode(`--${boundary}--\r\n`)
  const heads = parts.map((part) => encoder.encode(headOf(part, boundary)))
  const length = heads.reduce(
    (sum, head, index) => sum + head.length + (parts[index]?.content.size ?? 0) + 2,
    closing.length,
  )
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length,
    async *open() {
      for (const [index, part] of parts.entries()) {
        yield heads[index] ?? closing
        for await (const chunk of part.content.stream()) {
          onChunk?.(part, chunk)
          yield chunk
        }
        yield encoder.encode('\r\n')
      }
      yield closing
    },
  }
}

function headOf({field, filename, contentType}: FilePart, boundary: string): string {
  const disposition = `Content-Disposition: form-data; name="${field}"; filename="${asciiFilename(filename)}"`
  return `--${boundary}\r\n${disposition}\r\nContent-Type: ${contentType}\r\n\r\n`
}

/** The file name for the wire: ASCII letters, digits, dots, hyphens and underscores, never empty. */
export function asciiFilename(name: string): string {
  return name.replace(/[^\w.-]+/g, '_').slice(-100) || 'package'
}
