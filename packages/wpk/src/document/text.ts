import type {Finding, Position} from './finding.ts'

/** What a document may weigh; beyond it no reader has to be trusted to cope (spec: WPK format, "Reading"). */
export const MAX_BYTES = 1 << 20

/**
 * A document text. YAML is parsed from `normalized` (line ends as \n, so that every reader sees the same block scalars);
 * fixes are offsets into `original`, whose bytes must stay as they are.
 */
export class SourceText {
  readonly original: string
  readonly normalized: string
  readonly #starts: number[] = [0]
  #originalStarts: number[] | undefined

  constructor(original: string) {
    this.original = original
    this.normalized = original.includes('\r') ? original.replaceAll('\r\n', '\n') : original
    for (let at = this.normalized.indexOf('\n'); at !== -1; at = this.normalized.indexOf('\n', at + 1)) {
      this.#starts.push(at + 1)
    }
  }

  /** Line and column of an offset into `normalized`. */
  positionAt(offset: number): Position {
    const line = this.#lineOf(offset)
    return {line: line + 1, column: offset - this.#starts[line]! + 1}
  }

  /** The same place as an offset into `original`. */
  originalOffset(offset: number): number {
    if (this.original === this.normalized) return offset
    this.#originalStarts ??= lineStarts(this.original)
    const line = this.#lineOf(offset)
    return this.#originalStarts[line]! + offset - this.#starts[line]!
  }

  #lineOf(offset: number): number {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return low
  }
}

function lineStarts(text: string): number[] {
  const starts = [0]
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1)
  return starts
}

const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true})

/** The text of the bytes, or the one finding that says why they are no text. */
export function decodeText(bytes: Uint8Array): string | Finding {
  if (bytes.length > MAX_BYTES) {
    const message = `The document has ${bytes.length} bytes; at most ${MAX_BYTES} (1 MiB) are read`
    return {rule: 'yaml_size', severity: 'error', message, path: ''}
  }
  try {
    return decoder.decode(bytes)
  } catch {
    return {rule: 'yaml_encoding', severity: 'error', message: 'The document is not valid UTF-8', path: ''}
  }
}

/** C0 and C1 controls except tab and newline, DEL, U+2028/9, BOM and non-characters: readers disagree on each. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028\u2029\uFEFF\uFFFE\uFFFF]/g

/** Every forbidden character of the text, as offset and code point name. */
export function* forbiddenCharacters(text: string): Generator<{offset: number; name: string}> {
  for (const match of text.matchAll(FORBIDDEN)) {
    const code = match[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
    yield {offset: match.index, name: `U+${code}`}
  }
}
