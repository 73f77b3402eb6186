import type * as z from 'zod'
import {AtomError} from '../errors.ts'
import {clean} from './rejection.ts'

/** An answer with a success status, completely read. */
export interface HttpResponse {
  readonly status: number
  /** Names in lower case; repeated headers joined with a comma. */
  readonly headers: Readonly<Record<string, string>>
  readonly bytes: Uint8Array
  readonly origin: string
  readonly service: string
}

/** An answer whose body is still arriving. Iterating it throws UNAVAILABLE when it is cut off, TIMEOUT when it stalls. */
export interface HttpStream {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** Has to be read, in part at least, or discarded. */
  readonly body: AsyncIterable<Uint8Array>
  /** Lets go of the connection without reading. */
  discard(): void
}

/** The text of a JSON answer; throws PROTOCOL when the answer is not declared as JSON or is not UTF-8. */
export function jsonText(response: HttpResponse): string {
  const type = response.headers['content-type'] ?? ''
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(type)) {
    throw notProtocol(
      response,
      `answered ${type === '' ? 'without a content type' : clean(type).slice(0, 100)}, not JSON`,
    )
  }
  try {
    return new TextDecoder('utf-8', {fatal: true}).decode(response.bytes)
  } catch (cause) {
    throw notProtocol(response, 'answered JSON that is not UTF-8', cause)
  }
}

/** A JSON answer of the given shape; throws PROTOCOL, naming the first field that differs and never its value. */
export function readJson<T>(response: HttpResponse, schema: z.ZodType<T>): T {
  let value: unknown
  try {
    value = JSON.parse(jsonText(response))
  } catch (cause) {
    if (cause instanceof AtomError) throw cause
    throw notProtocol(response, 'answered text that is not JSON', cause)
  }
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  const field = issue?.path.join('.') || 'the answer'
  throw notProtocol(response, `answered JSON of another shape: ${clean(field)} is not as the protocol says`)
}

export function notProtocol(
  {origin, service}: {origin: string; service: string},
  what: string,
  cause?: unknown,
): AtomError {
  return new AtomError('PROTOCOL', `The ${service} ${what}`, {
    hint: `is ${origin} the ${service}? atomctl doctor tells`,
    details: {origin},
    cause,
  })
}
