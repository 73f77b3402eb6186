import type {HandlerResult} from '../handlers/handler.ts'
import {MASK, type ByteFilter, type Redactor} from './redactor.ts'

type Censor = Pick<Redactor, 'redact' | 'filter'>

/**
 * The secrets one step is given, and the way to keep them out of everything it says. A handler puts `values` into
 * environment variables, standard input or a request, never into arguments, URLs or files, and sends what programs
 * write through `filter` before it cuts or keeps anything.
 */
export class StepSecrets {
  /** By parameter name; only those that the handler names. */
  readonly values: Readonly<Record<string, string>>
  readonly #redactor: Censor | undefined

  /** Without a redactor nothing is a secret. */
  constructor(values: Readonly<Record<string, string>>, redactor?: Censor) {
    this.values = values
    this.#redactor = redactor
  }

  readonly redact = (text: string): string => this.#redactor?.redact(text) ?? text

  /** One for each stream. */
  filter(pass: (chunk: Uint8Array) => void): ByteFilter {
    return this.#redactor?.filter(pass) ?? {push: pass, end: () => {}}
  }

  /** What the engine may record. */
  clean(result: HandlerResult): HandlerResult {
    if (!this.#redactor) return result
    const outputs = Object.entries(result.outputs).map(
      ([name, text]) => [this.redact(name), this.redact(text)] as const,
    )
    return {
      ...result,
      error: result.error === null ? null : this.redact(result.error),
      output: this.redact(result.output),
      outputs: Object.fromEntries(outputs),
    }
  }
}

export const NO_SECRETS = new StepSecrets({})

/** For a step that has to run while nobody knows what to keep out of its words: none of them are kept. */
export const WITHHELD = new StepSecrets(
  {},
  {
    redact: (text) => (text === '' ? '' : MASK),
    filter: () => ({push: () => {}, end: () => {}}),
  },
)
