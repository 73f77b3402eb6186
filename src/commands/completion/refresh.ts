import {AtomCommand, registryFlag, runtimeFlag} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {refreshCandidates} from '../../lib/completion/refresh.ts'

/** What `atomctl __complete` starts and does not wait for: finds live values and keeps them. Prints nothing. */
export default class CompletionRefresh extends AtomCommand {
  static override summary = 'Find live values for completion'
  static override hidden = true
  static override args = {
    kind: Args.string({description: 'What to find', required: true, ignoreStdin: true}),
    subject: Args.string({description: 'What it depends on', ignoreStdin: true}),
  }
  static override flags = {...registryFlag, ...runtimeFlag}

  async run(): Promise<void> {
    const {args, flags} = await this.parse(CompletionRefresh)
    const {context, 'registry-url': registry, 'runtime-url': runtime} = flags
    const given = {context, 'registry-url': registry, 'runtime-url': runtime}
    const target = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
    const query = {kind: args.kind, subject: args.subject, target: target as Record<string, string>}
    await refreshCandidates(query, this.atom, this.config)
  }
}
