/** One thing that can be typed next. Whatever it holds is made safe for the shell before it is offered. */
export interface Candidate {
  readonly value: string
  readonly description?: string | undefined
  /** For a parameter, offered as `value=`: what can stand behind the sign. */
  readonly values?: readonly string[] | undefined
}

/**
 * What a command says of its own arguments and flags in `static completion`: names of kinds, `|` between several, such as
 * `workflow|package`. The manifest keeps it, so that nothing has to be loaded. Without it a kind follows from the name
 * of the argument or the `helpValue` of the flag. `kind@name` gives the source the value of the argument or flag `name`.
 */
export interface CompletionHints {
  readonly args?: Readonly<Record<string, string>>
  readonly flags?: Readonly<Record<string, string>>
}

/**
 * What the hook `complete` of a plugin is asked, for kinds that atomctl does not know itself. It answers with
 * candidates, or undefined when the kind is not its own. It runs in a process of its own that nobody waits for long,
 * and its answer is kept for a few seconds.
 */
export interface CompletionRequest {
  readonly kind: string
  /** The value the kind depends on; by default the first argument of the command line. */
  readonly subject?: string | undefined
}

export type CompletionAnswer = readonly Candidate[] | undefined
