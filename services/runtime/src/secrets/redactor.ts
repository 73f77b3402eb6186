import {Automaton} from './automaton.ts'
import {formsOf, SHORTEST} from './forms.ts'

export const MASK = '***'
const MASK_BYTES = Buffer.from(MASK)
/** White space within base64 and hex; more in a row ends it. */
const LONGEST_GAP = 16

/** Passes bytes on with the secrets taken out; holds back what may be the beginning of one. */
export interface ByteFilter {
  push(chunk: Uint8Array): void
  /** Passes on what is held back; of a stream that was cut off, not what looks like the beginning of a secret. */
  end(wasCut?: boolean): void
}

/** Takes secrets out of text and of byte streams, however they are cut into chunks. */
export class Redactor {
  readonly #texts: Automaton
  readonly #packed: Automaton

  constructor(secrets: Iterable<string>) {
    const forms = [...secrets].map(formsOf)
    this.#texts = new Automaton(bytesOf(forms.flatMap(({texts}) => [...texts])))
    this.#packed = new Automaton(bytesOf(forms.flatMap(({packed}) => [...packed])))
  }

  redact(text: string): string {
    const parts: Uint8Array[] = []
    const filter = this.filter((chunk) => void parts.push(chunk))
    filter.push(Buffer.from(text))
    filter.end()
    return Buffer.concat(parts).toString('utf8')
  }

  filter(pass: (chunk: Uint8Array) => void): ByteFilter {
    return new RedactingFilter(this.#texts, this.#packed, pass)
  }
}

function bytesOf(forms: readonly string[]): Buffer[] {
  return forms.map((form) => Buffer.from(form))
}

class RedactingFilter implements ByteFilter {
  readonly #texts: Automaton
  readonly #packed: Automaton
  readonly #pass: (chunk: Uint8Array) => void
  #text = 0
  #pack = 0
  /** Places in the stream of the bytes that `#packed` saw last, as it does not see the gaps between them. */
  readonly #seen: Float64Array
  #seenCount = 0
  #gap = 0
  /** Place in the stream of the first byte held back. */
  #start = 0
  #held: Uint8Array = new Uint8Array(0)
  /** 1 for bytes of a secret. */
  #marks: Uint8Array = new Uint8Array(0)
  #isInside = false

  constructor(texts: Automaton, packed: Automaton, pass: (chunk: Uint8Array) => void) {
    this.#texts = texts
    this.#packed = packed
    this.#pass = pass
    this.#seen = new Float64Array(Math.max(1, packed.longest))
  }

  push(chunk: Uint8Array): void {
    const known = this.#held.length
    const data = Buffer.concat([this.#held, chunk])
    const marks = new Uint8Array(data.length)
    marks.set(this.#marks)
    for (let at = known; at < data.length; at += 1) this.#look(data[at]!, at, marks)
    const safe = Math.min(data.length - this.#texts.depth(this.#text), this.#packedStart(data.length) - this.#start)
    this.#release(data.subarray(0, safe), marks)
    this.#held = data.subarray(safe)
    this.#marks = marks.subarray(safe)
    this.#start += safe
  }

  end(wasCut = false): void {
    if (wasCut) this.#markBeginning()
    this.#release(this.#held, this.#marks)
    this.#start += this.#held.length
    this.#held = new Uint8Array(0)
    this.#marks = new Uint8Array(0)
    this.#text = 0
    this.#pack = 0
  }

  #look(byte: number, at: number, marks: Uint8Array): void {
    this.#text = this.#texts.next(this.#text, byte)
    const length = this.#texts.match(this.#text)
    if (length > 0) marks.fill(1, at - length + 1, at + 1)
    if (byte === 10 || byte === 13 || byte === 32 || byte === 9) return this.#skip()
    this.#gap = 0
    this.#pack = this.#packed.next(this.#pack, byte)
    this.#seen[this.#seenCount % this.#seen.length] = this.#start + at
    this.#seenCount += 1
    const packed = this.#packed.match(this.#pack)
    if (packed > 0) marks.fill(1, this.#placeOf(packed) - this.#start, at + 1)
  }

  /** The rest of a secret may be where the stream was cut; a few bytes of one say nothing yet. */
  #markBeginning(): void {
    const {length} = this.#held
    const text = this.#texts.depth(this.#text)
    if (text >= SHORTEST) this.#marks.fill(1, length - text)
    const packed = this.#packed.depth(this.#pack)
    if (packed >= SHORTEST) this.#marks.fill(1, this.#placeOf(packed) - this.#start)
  }

  #skip(): void {
    this.#gap += 1
    if (this.#gap > LONGEST_GAP) this.#pack = 0
  }

  /** Place of the byte that was seen so many bytes ago. */
  #placeOf(back: number): number {
    return this.#seen[(this.#seenCount - back) % this.#seen.length]!
  }

  #packedStart(length: number): number {
    const depth = this.#packed.depth(this.#pack)
    return depth === 0 ? this.#start + length : this.#placeOf(depth)
  }

  /** One mask for a run of marked bytes, also when it comes in pieces. */
  #release(data: Uint8Array, marks: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      const isSecret = marks[at] === 1
      const end = endOfRun(marks, at, data.length)
      if (!isSecret) this.#pass(data.subarray(at, end))
      else if (!this.#isInside) this.#pass(MASK_BYTES)
      this.#isInside = isSecret
      at = end
    }
  }
}

function endOfRun(marks: Uint8Array, from: number, limit: number): number {
  const other = marks.indexOf(marks[from] === 1 ? 0 : 1, from)
  return other < 0 || other > limit ? limit : other
}
