import {Command} from '@oclif/core/command'
import * as Flags from '@oclif/core/flags'
import type {Interfaces} from '@oclif/core'
import {AtomError} from '@atomctl/wpk/errors'
import type {CompletionHints} from './completion/index.ts'
import {isCi} from './config/environment.ts'
import type {FlagValues} from './config/load.ts'
import {type AtomContext, getContext} from './context.ts'
import type {SignatureRequirement, VerifiedPackage} from './gate.ts'
import {reportOf} from './errors.ts'
import {FORMATS, type Format, formatOf, isStructured} from './output/format.ts'
import {createStyle, printable, type Style, wantsColour} from './output/style.ts'
import {render, type View} from './output/view.ts'

const GLOBAL = 'GLOBAL'

/** Flags of the settings that several commands take; spread into `static flags`. */
export const registryFlag = {
  'registry-url': Flags.string({description: 'Registry to talk to', helpValue: 'URL'}),
}
export const runtimeFlag = {
  'runtime-url': Flags.string({description: 'Runtime to talk to', helpValue: 'URL'}),
}
export const confirmFlag = {
  confirm: Flags.string({description: 'Name of the protected context, to say you mean it', helpValue: 'CONTEXT'}),
}
export const trustPolicyFlag = {
  'trust-policy': Flags.string({description: 'Trust policy to apply instead of your own', helpValue: 'FILE'}),
}

interface GlobalFlags {
  output?: string | undefined
  json?: boolean | undefined
  quiet?: boolean | undefined
  verbose?: boolean | undefined
  debug?: boolean | undefined
  color?: boolean | undefined
  'no-input'?: boolean | undefined
  context?: string | undefined
  'registry-url'?: string | undefined
  'runtime-url'?: string | undefined
  'trust-policy'?: string | undefined
}

/** Base of every command, plugins' too: the global flags, the context, the signature gate, the output formats. */
export abstract class AtomCommand extends Command {
  /** The packages this command acts on must be verified before it runs. Enforced by the root prerun hook. */
  static signature: SignatureRequirement | undefined

  /** What the shell can offer for arguments and flags whose names do not say it. */
  static completion: CompletionHints | undefined

  static override baseFlags: Interfaces.FlagInput = {
    output: Flags.string({
      char: 'o',
      description: `Output format: ${FORMATS.join(', ')}`,
      helpGroup: GLOBAL,
      helpValue: 'FORMAT',
      options: [...FORMATS],
    }),
    json: Flags.boolean({description: 'Same as -o json', helpGroup: GLOBAL}),
    quiet: Flags.boolean({char: 'q', description: 'Print ids only', helpGroup: GLOBAL}),
    verbose: Flags.boolean({description: 'Say more on stderr', helpGroup: GLOBAL}),
    debug: Flags.boolean({description: 'Show requests and decisions on stderr, secrets redacted', helpGroup: GLOBAL}),
    color: Flags.boolean({allowNo: true, description: 'Colour the output', helpGroup: GLOBAL}),
    'no-input': Flags.boolean({description: 'Never ask; fail naming the missing flag', helpGroup: GLOBAL}),
    context: Flags.string({description: 'Named target to use', helpGroup: GLOBAL, helpValue: 'NAME'}),
  }

  #flags: GlobalFlags = {}

  /** The process-wide context the init hook made. */
  protected get atom(): AtomContext {
    return getContext(this.config)
  }

  protected get style(): Style {
    return createStyle(wantsColour(this.#flags.color, this.atom.environment, process.stdout))
  }

  /** True when a question can be asked. */
  protected get interactive(): boolean {
    return (
      Boolean(process.stdin.isTTY && process.stderr.isTTY) && !this.#flags['no-input'] && !isCi(this.atom.environment)
    )
  }

  protected get format(): Format {
    if (this.#flags.json) return 'json'
    if (this.#flags.output) return this.#flags.output as Format
    if (this.#flags.quiet) return 'name'
    const configured = this.atom.configurationError ? undefined : this.atom.configuration.text('output')
    return FORMATS.find((format) => format === configured) ?? 'table'
  }

  protected override async init(): Promise<void> {
    await super.init()
    // Fail closed: oclif swallows a hook that could not be loaded or that threw a plain Error, and a plugin can
    // bring its own prerun hook but not this pass.
    const {signature} = this.ctor as typeof AtomCommand
    if (signature && this.atom.gate?.commandId !== this.id) {
      throw new AtomError('GATE_NOT_RUN', `the signature check of ${this.id} did not run`, {hint: 'reinstall atomctl'})
    }
  }

  /** Parses, then lays the flags over the settings. */
  protected override async parse<
    F extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    B extends Interfaces.OutputFlags<Interfaces.FlagInput>,
    A extends Interfaces.OutputArgs<Interfaces.ArgInput>,
  >(options?: Interfaces.Input<F, B, A>, argv?: string[]): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await super.parse<F, B, A>(options, argv)
    this.#flags = parsed.flags
    this.atom.applyFlags(settingsOf({...this.#flags}), this.#debugLine())
    return parsed
  }

  /** The package the gate verified under this argument. @throws GATE_NOT_RUN */
  protected verified(subject: string): VerifiedPackage {
    const found = this.atom.gate?.commandId === this.id ? this.atom.gate?.packages.get(subject) : undefined
    if (found) return found
    throw new AtomError('GATE_NOT_RUN', `${subject} was not verified`)
  }

  /** Prints the result in the format asked for; with `error` the envelope says so and the process exits with it. */
  protected async emit<T>(view: View<T>, data: T, error?: unknown): Promise<T> {
    const report = error === undefined ? undefined : reportOf(error)
    const {format, style} = this
    this.#showWarnings(format)
    const text = await render(view, data, {
      format,
      style,
      warnings: this.atom.warnings,
      ...(report ? {error: report} : {}),
    })
    if (text !== '') process.stdout.write(`${text}\n`)
    if (report) this.exit(report.exit)
    return data
  }

  /** A failure that has a result: structured formats get both in one envelope, people get the error on stderr. */
  protected async emitFailure<T>(view: View<T>, data: T, error: AtomError): Promise<never> {
    if (isStructured(this.format)) await this.emit(view, data, error)
    this.#showWarnings(this.format)
    throw error
  }

  /** A first part of the human result, before the rest is known. */
  protected announce(lines: string): void {
    if (this.format === 'table' || this.format === 'wide') process.stdout.write(`${lines}\n`)
  }

  /**
   * Refuses to change a protected context unless its name was given, or is typed now.
   * @throws PROTECTED_CONTEXT
   */
  protected async confirmContext(confirmed: string | undefined): Promise<void> {
    const context = this.atom.configuration.context()
    if (!context?.value.protected || confirmed === context.name) return
    if (confirmed === undefined && this.interactive) {
      const {askText} = await import('./prompt/prompt.ts')
      if ((await askText(`The context ${context.name} is protected. Type its name to go on`)) === context.name) return
    }
    throw new AtomError('PROTECTED_CONTEXT', `the context ${context.name} is protected`, {
      hint: `add --confirm ${context.name} if you mean it`,
    })
  }

  /** A line of progress for people; stdout stays the result's. */
  protected progress(line: string): void {
    if (this.format === 'table' || this.format === 'wide') process.stderr.write(`${line}\n`)
  }

  protected verbose(line: string): void {
    if (this.#flags.verbose || this.#flags.debug) process.stderr.write(`${printable(line)}\n`)
  }

  // Our warnings belong to the envelope as well as to stderr.
  override warn(input: string | Error): string | Error {
    this.atom.warnings.push(input instanceof Error ? input.message : input)
    return input
  }

  #showWarnings(format: Format): void {
    if (format === 'json' || format === 'yaml') return
    const style = createStyle(wantsColour(this.#flags.color, this.atom.environment, process.stderr))
    for (const warning of this.atom.warnings)
      process.stderr.write(`${style.warning('[WARNING]')} ${printable(warning)}\n`)
  }

  #debugLine(): ((line: string) => void) | undefined {
    return this.#flags.debug ? (line) => process.stderr.write(`[debug] ${printable(line)}\n`) : undefined
  }

  /** Errors are printed in one place, the process entry, in the format asked for. */
  protected override async catch(error: Error & {code?: unknown}): Promise<void> {
    if (error.code !== 'NOT_FOUND') throw error
    const {withMeant} = await import('./meant/index.ts')
    throw await withMeant(error, this.atom)
  }
}

/** The settings that these flags set. */
export function settingsOf(flags: Readonly<Record<string, unknown>>): FlagValues {
  const pairs: [keyof FlagValues, unknown][] = [
    ['registry_url', flags['registry-url']],
    ['runtime_url', flags['runtime-url']],
    ['trust_policy', flags['trust-policy']],
    ['signing_key', flags['key']],
    ['current_context', flags['context']],
  ]
  return Object.fromEntries(pairs.filter((pair): pair is [keyof FlagValues, string] => typeof pair[1] === 'string'))
}

export {formatOf}
