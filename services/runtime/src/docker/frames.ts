import {EngineError} from './engine.ts'

const HEADER = 8

/**
 * Takes a multiplexed log stream apart: a frame is one byte of stream, three zeros, four of length, then that many
 * bytes, which are passed on as they come, however many the header promises.
 * https://docs.docker.com/reference/api/engine/ ("Stream format")
 */
export class FrameReader {
  readonly #header = Buffer.alloc(HEADER)
  readonly #onData: (stream: 'stdout' | 'stderr', data: Buffer) => void
  #filled = 0
  #left = 0

  constructor(onData: (stream: 'stdout' | 'stderr', data: Buffer) => void) {
    this.#onData = onData
  }

  /** Nothing of a frame is missing. */
  get isComplete(): boolean {
    return this.#left === 0 && (this.#filled === 0 || this.#filled === HEADER)
  }

  /** Throws EngineError for what is no frame. */
  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) at += this.#left > 0 ? this.#pass(chunk, at) : this.#fill(chunk, at)
  }

  #pass(chunk: Buffer, at: number): number {
    const data = chunk.subarray(at, at + this.#left)
    this.#left -= data.length
    this.#onData(this.#header[0] === 2 || this.#header[0] === 3 ? 'stderr' : 'stdout', data)
    return data.length
  }

  #fill(chunk: Buffer, at: number): number {
    if (this.#filled === HEADER) this.#filled = 0
    const taken = chunk.copy(this.#header, this.#filled, at, at + HEADER - this.#filled)
    this.#filled += taken
    if (this.#filled === HEADER) this.#begin()
    return taken
  }

  #begin(): void {
    const [stream = 0, ...zeros] = this.#header.subarray(0, 4)
    if (stream > 3 || zeros.some((byte) => byte !== 0))
      throw new EngineError('Broken', 'the log stream of the container engine is not in frames')
    this.#left = this.#header.readUInt32BE(4)
  }
}
