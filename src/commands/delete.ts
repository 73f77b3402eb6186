import {AtomCommand, confirmFlag, registryFlag} from '@atomctl/sdk/command'
import {describeFailure} from '@atomctl/sdk/errors'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {confirm} from '@atomctl/sdk/prompt'
import {deleteView, type DeletedWorkflow} from '../lib/views/delete.ts'

export default class Delete extends AtomCommand {
  static override summary = 'Delete a workflow from the registry'
  static override examples = ['<%= config.bin %> delete restart-unhealthy-1.0.0 --yes']
  static override args = {
    id: Args.string({description: 'Workflow ID, <name>-<version>', required: true}),
  }
  static override flags = {
    ...registryFlag,
    ...confirmFlag,
    yes: Flags.boolean({char: 'y', description: 'Do not ask'}),
  }

  async run(): Promise<DeletedWorkflow> {
    const {args, flags} = await this.parse(Delete)
    await this.confirmContext(flags.confirm)
    const url = await this.atom.registryUrl()
    if (!flags.yes) await confirm(`Delete ${args.id} from ${url}?`, {interactive: this.interactive, flag: '--yes'})
    const registry = await this.atom.registry()
    await registry.delete(args.id).catch((error: unknown) => {
      throw describeFailure('Delete failed', error)
    })
    return this.emit(deleteView, {id: args.id, registry: url})
  }
}
