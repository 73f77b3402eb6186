import {ERRORS, type ErrorReport} from '@atomctl/sdk/errors'

const GRACE = 5000

/**
 * Ctrl-C and SIGTERM. A command that has something to finish listens on `signal` and says so with `defer`;
 * any other ends at once. A second signal, or a grace period that runs out, always ends the process.
 */
class Interruption {
  readonly #controller = new AbortController()
  #received: ErrorReport | undefined
  #deferred = 0

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** After a signal, whatever went wrong was the signal; a command that saw it coming has said it better. */
  explain(report: ErrorReport): ErrorReport {
    if (!this.#received) return report
    return report.code === 'INTERRUPTED' ? {...report, ...this.#received, message: report.message} : this.#received
  }

  install(): void {
    process.on('SIGINT', () => this.#receive('INTERRUPTED', 'Interrupted'))
    process.on('SIGTERM', () => this.#receive('TERMINATED', 'Terminated'))
  }

  #receive(code: 'INTERRUPTED' | 'TERMINATED', message: string): void {
    const {exit} = ERRORS[code]
    if (this.#received || this.#deferred === 0) {
      if (!this.#received) process.stderr.write(`[ERROR] ${message}\n`)
      process.exit(exit)
    }
    this.#received = {code, message, exit}
    setTimeout(() => process.exit(exit), GRACE).unref()
    this.#controller.abort(new Error(message))
  }

  /** Asks for the grace period while `work` runs. */
  async defer<T>(work: () => Promise<T>): Promise<T> {
    this.#deferred += 1
    try {
      return await work()
    } finally {
      this.#deferred -= 1
    }
  }
}

export const interruption = new Interruption()
