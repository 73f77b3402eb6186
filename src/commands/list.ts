import type {WorkflowEntry} from '@atomctl/protocol/registry'
import {AtomCommand, registryFlag} from '@atomctl/sdk/command'
import {describeFailure} from '@atomctl/sdk/errors'
import * as Flags from '@oclif/core/flags'
import {listView} from '../lib/views/list.ts'

export default class List extends AtomCommand {
  static override summary = 'List the workflows in the registry'
  static override examples = [
    '<%= config.bin %> list',
    '<%= config.bin %> list --tag kubernetes --safety-mode manual',
    '<%= config.bin %> list --name restart -o wide',
  ]
  static override flags = {
    ...registryFlag,
    tag: Flags.string({description: 'Only workflows with this tag'}),
    runtime: Flags.string({description: 'Only workflows of this runtime type', helpValue: 'TYPE'}),
    'safety-mode': Flags.string({description: 'Only workflows of this safety mode', options: ['manual', 'auto']}),
    name: Flags.string({description: 'Only workflows whose name contains this', helpValue: 'TEXT'}),
    search: Flags.string({description: 'Only workflows that mention this', helpValue: 'TEXT'}),
    limit: Flags.integer({description: 'How many at most', min: 1, max: 1000, default: 100}),
    all: Flags.boolean({description: 'Every page'}),
  }

  async run(): Promise<WorkflowEntry[]> {
    const {flags} = await this.parse(List)
    const registry = await this.atom.registry()
    const query = {
      ...(flags.tag === undefined ? {} : {tag: flags.tag}),
      ...(flags.runtime === undefined ? {} : {runtime: flags.runtime}),
      ...(flags['safety-mode'] === undefined ? {} : {safety_mode: flags['safety-mode']}),
      ...(flags.name === undefined ? {} : {name: flags.name}),
      ...(flags.search === undefined ? {} : {q: flags.search}),
      limit: flags.limit,
    }
    const {workflows, truncated} = await registry.list(query, {all: flags.all}).catch((error: unknown) => {
      throw describeFailure('Failed to list workflows', error)
    })
    if (truncated) this.warn(`only the first ${workflows.length} are shown; add --all or a larger --limit`)
    return this.emit(listView, workflows)
  }
}
