/** Time that passes only when it is told to, so that a rehearsal takes none. */
export class RehearsalClock {
  readonly #start: number
  #passed = 0

  constructor(start: Date) {
    this.#start = start.getTime()
  }

  get now(): Date {
    return new Date(this.#start + this.#passed)
  }

  get elapsedMs(): number {
    return this.#passed
  }

  advance(milliseconds: number): void {
    this.#passed += milliseconds
  }
}
