import {randomBytes} from 'node:crypto'
import type {RequestBody} from './options.ts'

/** Bytes of a known length that can be read again for every attempt; a Blob is one. */
export interface Content {
  readonly size: number
  stream(): AsyncIterable<Uint8Array>
}

/** One file of a form. */
export interface FilePart {
  readonly field: string
  readonly filename: string
  readonly contentType: string
  readonly content: Content
}

const encoder = new TextEncoder()

/**
 * A `multipart/form-data` body of file parts (RFC 7578), streamed in constant memory and of known length. Written here
 * because FormData hides its bytes, and with them progress and digests.
 * The original registry takes a part without a plain ASCII `filename` for a text field (protocol section 2.2).
 */
export function multipartBody(parts: readonly FilePart[]): RequestBody {
  const boundary = `atomctl-${randomBytes(18).toString('base64url')}`
  const closing = encoder.encode(`--${boundary}--\r\n`)
  const framed = parts.map((part) => ({head: encoder.encode(headOf(part, boundary)), content: part.content}))
  return {
    contentType: `multipart/form-data; boundary=${boundary}`,
    length: framed.reduce((sum, {head, content}) => sum + head.length + content.size + 2, closing.length),
    async *open() {
      for (const {head, content} of framed) {
        yield head
        yield* content.stream()
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
