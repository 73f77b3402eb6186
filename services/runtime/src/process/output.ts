import type {LogLine} from '../handlers/handler.ts'

const LOG_BYTES = 1024 * 1024
const LOG_LINES = 20_000
const LINE_CHARACTERS = 8192
const HALF = 32 * 1024

/** What one step may still write to the log, over both of its streams. */
export class LogBudget {
  readonly #log: LogLine
  #bytes = LOG_BYTES
  #lines = LOG_LINES
  #isExhausted = false

  constructor(log: LogLine) {
    this.#log = log
  }

  get isExhausted(): boolean {
    return this.#isExhausted
  }

  write(stream: 'stdout' | 'stderr', text: string): void {
    if (this.#isExhausted) return
    this.#bytes -= Buffer.byteLength(text) + 1
    this.#lines -= 1
    if (this.#bytes >= 0 && this.#lines >= 0) return this.#log(stream, text)
    this.#isExhausted = true
    this.#log('system', 'truncated: this step wrote more than 1 MiB or 20,000 lines; the rest is not logged')
  }
}

/**
 * Cuts a byte stream into lines for the log, in constant memory and without splitting a character. Bytes that are not
 * UTF-8 become U+FFFD; a line without end is cut every 8,192 characters.
 */
export class LineSplitter {
  readonly #budget: LogBudget
  readonly #stream: 'stdout' | 'stderr'
  readonly #decoder = new TextDecoder('utf-8', {ignoreBOM: true})
  #rest = ''

  constructor(budget: LogBudget, stream: 'stdout' | 'stderr') {
    this.#budget = budget
    this.#stream = stream
  }

  push(chunk: Uint8Array): void {
    if (this.#budget.isExhausted) return
    this.#rest += this.#decoder.decode(chunk, {stream: true})
    let start = 0
    for (let end = this.#rest.indexOf('\n'); end >= 0; end = this.#rest.indexOf('\n', start)) {
      this.#write(this.#rest.slice(start, end))
      start = end + 1
    }
    this.#rest = this.#rest.slice(start)
    while (this.#rest.length > LINE_CHARACTERS && !this.#budget.isExhausted) {
      this.#budget.write(this.#stream, this.#rest.slice(0, LINE_CHARACTERS))
      this.#rest = this.#rest.slice(LINE_CHARACTERS)
    }
  }

  end(): void {
    this.#rest += this.#decoder.decode()
    if (this.#rest !== '') this.#write(this.#rest)
    this.#rest = ''
  }

  #write(line: string): void {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line
    if (text.length <= LINE_CHARACTERS) return this.#budget.write(this.#stream, text)
    for (let at = 0; at < text.length && !this.#budget.isExhausted; at += LINE_CHARACTERS)
      this.#budget.write(this.#stream, text.slice(at, at + LINE_CHARACTERS))
  }
}

/** The first and the last 32 KiB of what passes through; takes its 64 KiB once, however much that is. */
export class HeadAndTail {
  readonly #head = Buffer.allocUnsafe(HALF)
  readonly #tail = Buffer.allocUnsafe(HALF)
  #total = 0

  push(chunk: Uint8Array): void {
    const toHead = Math.max(0, Math.min(chunk.length, HALF - this.#total))
    if (toHead > 0) this.#head.set(chunk.subarray(0, toHead), this.#total)
    const rest = chunk.subarray(Math.max(toHead, chunk.length - HALF))
    this.#total += chunk.length
    this.#wrap(rest)
  }

  get text(): string {
    const head = this.#head.subarray(0, Math.min(this.#total, HALF))
    const size = Math.max(0, Math.min(this.#total - HALF, HALF))
    const at = this.#total % HALF
    const tail =
      size < HALF ? this.#tail.subarray(0, size) : Buffer.concat([this.#tail.subarray(at), this.#tail.subarray(0, at)])
    const left = this.#total - head.length - size
    const gap = left > 0 ? [Buffer.from(`\n… ${left} bytes left out …\n`)] : []
    return Buffer.concat([head, ...gap, tail])
      .toString('utf8')
      .replaceAll('\0', '\u{FFFD}')
  }

  /** The tail is a ring: the byte number n of the stream stands at n modulo its size. */
  #wrap(rest: Uint8Array): void {
    const start = (this.#total - rest.length) % HALF
    const first = rest.subarray(0, HALF - start)
    this.#tail.set(first, start)
    this.#tail.set(rest.subarray(first.length), 0)
  }
}
