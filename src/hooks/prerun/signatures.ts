import {settingsOf} from '@atomctl/sdk/command'
import {getContext} from '@atomctl/sdk/context'
import {type SignatureRequirement, verifySubjects} from '@atomctl/sdk/enforcement'
import {reportOf} from '@atomctl/sdk/errors'
import type {Interfaces} from '@oclif/core'
import type {Hook} from '@oclif/core/hooks'
import {parse} from '@oclif/core/parser'

interface GuardedCommand {
  id: string
  signature?: SignatureRequirement
  args?: Interfaces.ArgInput
  flags?: Interfaces.FlagInput
  baseFlags?: Interfaces.FlagInput
  strict?: boolean
}

/**
 * The signature gate: verifies every package that a command which declares `static signature` names, then leaves
 * the pass without which `AtomCommand.init` refuses to go on.
 *
 * oclif swallows a plain error thrown in a hook and runs the command all the same, so whatever happens in here
 * leaves through `this.error` with a non-zero exit.
 */
const hook: Hook.Prerun = async function ({Command, argv, config}) {
  const command = Command as unknown as GuardedCommand
  if (!command.signature) return
  try {
    const context = getContext(config)
    const {subjects, flags} = await parseSubjects(command, command.signature, argv)
    context.applyFlags(settingsOf(flags))
    const packages = await verifySubjects(subjects, command.signature, context)
    context.gate = {commandId: command.id, packages}
  } catch (error) {
    const meant = await explain(error, config)
    this.error(meant as Error, {exit: reportOf(meant).exit || 1})
  }
}

/** A workflow that the registry does not know may be one whose name was mistyped. */
async function explain(error: unknown, config: Interfaces.Config): Promise<unknown> {
  if (reportOf(error).code !== 'NOT_FOUND') return error
  const {withMeant} = await import('@atomctl/sdk/meant')
  return withMeant(error, getContext(config))
}

// A hook sees the raw command line; it is parsed by the command's own definition, never guessed at.
async function parseSubjects(
  command: GuardedCommand,
  {arg}: SignatureRequirement,
  argv: readonly string[],
): Promise<{subjects: string[]; flags: Record<string, unknown>}> {
  const parsed = await parse([...argv], {
    args: command.args ?? {},
    flags: {...command.baseFlags, ...command.flags},
    strict: command.strict !== false,
  })
  const named = command.strict === false ? (parsed.argv as string[]) : [(parsed.args as Record<string, unknown>)[arg]]
  return {subjects: named.filter((subject) => typeof subject === 'string'), flags: parsed.flags}
}

export default hook
