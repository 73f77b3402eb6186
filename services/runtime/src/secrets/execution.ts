import {secretsNamedBy} from '@atomctl/wpk/parameters'
import {failure, type HandlerResult} from '../handlers/handler.ts'
import type {HandlerSpec} from '../program.ts'
import {SecretError} from './errors.ts'
import type {SecretNeed} from './needs.ts'
import {Redactor} from './redactor.ts'
import {NO_SECRETS, StepSecrets, WITHHELD} from './step.ts'

/** What gives secrets their values. */
export interface SecretSource {
  /** Why a secret could never be read here, as far as that can be told without reading it. */
  refuse(need: SecretNeed): string | undefined
  /** The values by name. Throws SecretError. */
  read(needs: readonly SecretNeed[], signal: AbortSignal): Promise<Readonly<Record<string, string>>>
}

export interface Opening {
  readonly before: readonly HandlerSpec[]
  readonly mustRun: boolean
  readonly signal: AbortSignal
}

/** The secrets of one execution as far as this process has read them; they are in memory only, and nowhere else. */
export class ExecutionSecrets {
  readonly #needs: readonly SecretNeed[]
  readonly #source: SecretSource | undefined
  /** Every value that a step was given, by name: a later step may find one in a file and print it. */
  readonly #given = new Map<string, Set<string>>()
  #redactor: Redactor | undefined

  constructor(needs: readonly SecretNeed[], source?: SecretSource) {
    this.#needs = needs
    this.#source = source
  }

  /**
   * Reads what a handler names, anew for every attempt. `before` are the handlers that had their turn when another
   * process, or an earlier execution, ran them: what they were given is read as well, so that it can be kept out of
   * what this one says. With `mustRun`, as what is undone must be, a step that is given no secret itself runs even when
   * they cannot be read, and nothing it says is kept. Throws SecretError.
   */
  async open(spec: HandlerSpec, {before, mustRun, signal}: Opening): Promise<StepSecrets> {
    const source = this.#source
    if (!source || this.#needs.length === 0) return NO_SECRETS
    const own = this.#namedBy([spec])
    const values = await source.read(own, signal)
    this.#remember(values)
    const earlier = this.#namedBy(before).filter(({name}) => !this.#given.has(name))
    try {
      this.#remember(await source.read(earlier, signal))
    } catch (error) {
      if (error instanceof SecretError && mustRun && own.length === 0) return WITHHELD
      throw error
    }
    return this.#given.size === 0 ? NO_SECRETS : new StepSecrets(values, this.#redactor)
  }

  #namedBy(specs: readonly HandlerSpec[]): SecretNeed[] {
    const names = this.#needs.map(({name}) => name)
    const named = new Set(specs.flatMap((spec) => secretsNamedBy(spec, names)))
    return this.#needs.filter(({name}) => named.has(name))
  }

  #remember(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) {
      const known = this.#given.get(name) ?? new Set()
      if (known.has(value)) continue
      this.#given.set(name, known.add(value))
      this.#redactor = undefined
    }
    this.#redactor ??= new Redactor([...this.#given.values()].flatMap((known) => [...known]))
  }
}

/** The result of a step whose secrets could not be read; anything else is thrown on. */
export function secretFailure(error: unknown): HandlerResult {
  if (!(error instanceof SecretError)) throw error
  const {message, code, isRetryable} = error
  return failure(`${message} (${code})`, isRetryable ? {code} : {code, isFinal: true})
}
