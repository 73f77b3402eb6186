import type {AtomError} from '../errors.ts'

/** What is checked, in the order in which it is. */
export type Check = 'present' | 'integrity' | 'revocation' | 'trust' | 'validity' | 'binding'

export const LEVEL_NAMES = ['strict', 'permissive', 'audit', 'skip'] as const
export type Level = (typeof LEVEL_NAMES)[number]

/** The checks whose failure refuses the package; any other failure is a warning. `skip` checks nothing at all. */
const ENFORCED: Readonly<Record<Level, ReadonlySet<Check>>> = {
  strict: new Set<Check>(['present', 'integrity', 'revocation', 'trust', 'validity', 'binding']),
  permissive: new Set<Check>(['integrity', 'revocation', 'trust', 'binding']),
  audit: new Set<Check>(),
  skip: new Set<Check>(),
}

/** Collects what the checks find: throws where the level enforces the check, else keeps a warning. */
export class Judgement {
  readonly warnings: string[] = []
  readonly #enforced: ReadonlySet<Check>
  readonly #level: Level

  constructor(level: Level) {
    this.#level = level
    this.#enforced = ENFORCED[level]
  }

  enforces(check: Check): boolean {
    return this.#enforced.has(check)
  }

  /** A failed check. Returns (always undefined) only when the level lets it pass. */
  fail(check: Check, error: AtomError): undefined {
    if (this.#enforced.has(check)) throw error
    this.warnings.push(`${error.code}: ${error.message} (let through: trust level ${this.#level})`)
  }

  warn(message: string): void {
    this.warnings.push(message)
  }
}
