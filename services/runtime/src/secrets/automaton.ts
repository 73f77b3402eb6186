/**
 * Aho-Corasick over bytes: which of many texts end at a place, in one step per byte and without looking back. The trie
 * is kept in arrays, first child and next sibling, as the forms of one long secret have a million bytes.
 */
export class Automaton {
  /** Of the longest text. */
  readonly longest: number
  readonly #byte = [0]
  readonly #child = [0]
  readonly #sibling = [0]
  readonly #depth = [0]
  /** Length of the longest text that ends here. */
  readonly #match = [0]
  readonly #fail: Int32Array
  readonly #roots = new Int32Array(256)

  constructor(texts: Iterable<Uint8Array>) {
    for (const text of texts) this.#insert(text)
    this.longest = this.#depth.reduce((most, depth) => Math.max(most, depth), 0)
    this.#fail = new Int32Array(this.#byte.length)
    this.#connect()
  }

  /** The state after one more byte; 0 is the beginning. */
  next(state: number, byte: number): number {
    for (let from = state; from !== 0; from = this.#fail[from]!) {
      const found = this.#find(from, byte)
      if (found !== 0) return found
    }
    return this.#roots[byte]!
  }

  /** How many of the last bytes may be the beginning of a text. */
  depth(state: number): number {
    return this.#depth[state]!
  }

  /** Length of the longest text that ends with the last byte, 0 if none does. */
  match(state: number): number {
    return this.#match[state]!
  }

  #find(state: number, byte: number): number {
    let child = this.#child[state]!
    while (child !== 0 && this.#byte[child] !== byte) child = this.#sibling[child]!
    return child
  }

  #insert(text: Uint8Array): void {
    let state = 0
    for (const byte of text) {
      const known = state === 0 ? this.#roots[byte]! : this.#find(state, byte)
      state = known === 0 ? this.#add(state, byte) : known
    }
    this.#match[state] = this.#depth[state]!
  }

  #add(parent: number, byte: number): number {
    const state = this.#byte.push(byte) - 1
    this.#child.push(0)
    this.#depth.push(this.#depth[parent]! + 1)
    this.#match.push(0)
    this.#sibling.push(this.#child[parent]!)
    this.#child[parent] = state
    if (parent === 0) this.#roots[byte] = state
    return state
  }

  /** Breadth first: where a state goes on when its text does not, which is always less deep. */
  #connect(): void {
    const queue = Array.from(this.#roots.filter((state) => state !== 0))
    for (let at = 0; at < queue.length; at += 1) {
      const state = queue[at]!
      for (let child = this.#child[state]!; child !== 0; child = this.#sibling[child]!) {
        const fail = this.next(this.#fail[state]!, this.#byte[child]!)
        this.#fail[child] = fail
        this.#match[child] ||= this.#match[fail]!
        queue.push(child)
      }
    }
  }
}
