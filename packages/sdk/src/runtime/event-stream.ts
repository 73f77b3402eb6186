import {AtomError} from '../errors.ts'

/** One message of a server-sent event stream. */
export interface StreamMessage {
  readonly event: string
  readonly data: string
  /** The last `id:` seen, to resume after. */
  readonly id: string | undefined
  /** The last `retry:` seen, in milliseconds. */
  readonly retry: number | undefined
}

const LONGEST_MESSAGE = 4 * 1024 * 1024

/**
 * Reads server-sent events (WHATWG HTML section 9.2.6): LF, CR and CRLF line ends, comments, multi-line data.
 * A message that is cut off is dropped. Throws PROTOCOL when one grows past 4 MiB.
 */
export async function* readEventStream(chunks: AsyncIterable<Uint8Array>): AsyncIterable<StreamMessage> {
  let data: string[] = []
  let event = ''
  let id: string | undefined
  let retry: number | undefined
  for await (const line of readLines(chunks)) {
    if (line === '') {
      if (data.length > 0) yield {event: event || 'message', data: data.join('\n'), id, retry}
      data = []
      event = ''
      continue
    }
    const [field, value] = splitField(line)
    if (field === 'data') data.push(value)
    else if (field === 'event') event = value
    else if (field === 'id' && !value.includes('\0')) id = value
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) retry = Number(value)
  }
}

function splitField(line: string): [field: string, value: string] {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, '']
  return [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
}

async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  // A decoder drops the byte order mark that the format allows at the start.
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, {stream: true})
    // A CR at the end may be the first half of CRLF.
    const complete = rest.endsWith('\r') ? rest.slice(0, -1) : rest
    const lines = complete.split(/\r\n|\n|\r/)
    const last = lines.pop() ?? ''
    rest = rest.endsWith('\r') ? `${last}\r` : last
    if (rest.length > LONGEST_MESSAGE) throw new AtomError('PROTOCOL', 'The runtime sent an event without end')
    yield* lines
  }
}
