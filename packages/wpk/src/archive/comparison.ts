/**
 * How far one side may be ahead. Buffers on the way account for a fraction of it; more means that one side has bytes
 * the other will never have (endless empty blocks, PAX records), which must not pile up in memory.
 */
const MAX_AHEAD_BYTES = 1024 * 1024

/**
 * Compares two byte streams that arrive in chunks of any size, holding only what one of them is ahead by.
 * It is how "rewriting the archive gives the same bytes" is checked without keeping the archive.
 */
export class StreamComparison {
  readonly #ahead: Uint8Array[] = []
  #leader: 'original' | 'rewritten' = 'original'
  #aheadBytes = 0
  #equal = true
  #offset = 0

  /** Offset of the first byte not yet found equal. */
  get offset(): number {
    return this.#offset
  }

  /** Adds bytes of one side; false from the first difference on. */
  add(side: 'original' | 'rewritten', chunk: Uint8Array): boolean {
    if (this.#aheadBytes === 0) this.#leader = side
    if (side === this.#leader) this.#push(chunk)
    else this.#match(side, chunk)
    return this.#equal
  }

  /** Both sides ended: true when they were the same bytes. */
  end(): boolean {
    return this.#equal && this.#aheadBytes === 0
  }

  #push(chunk: Uint8Array): void {
    if (chunk.byteLength === 0) return
    this.#ahead.push(chunk)
    this.#aheadBytes += chunk.byteLength
    if (this.#aheadBytes > MAX_AHEAD_BYTES) this.#equal = false
  }

  #match(side: 'original' | 'rewritten', chunk: Uint8Array): void {
    let rest = chunk
    while (this.#equal && rest.byteLength > 0 && this.#ahead[0]) {
      const first = this.#ahead[0]
      const length = Math.min(first.byteLength, rest.byteLength)
      const common = commonLength(first.subarray(0, length), rest.subarray(0, length))
      this.#offset += common
      this.#equal = common === length
      if (length === first.byteLength) this.#ahead.shift()
      else this.#ahead[0] = first.subarray(length)
      this.#aheadBytes -= length
      rest = rest.subarray(length)
    }
    if (this.#equal && rest.byteLength > 0) this.add(side, rest)
  }
}

/** How many leading bytes two chunks of one length share. */
function commonLength(left: Uint8Array, right: Uint8Array): number {
  if (Buffer.compare(left, right) === 0) return left.byteLength
  return left.findIndex((byte, index) => byte !== right[index])
}
