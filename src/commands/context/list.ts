import {AtomCommand} from '@atomctl/sdk/command'
import {type ContextEntry, listContexts} from '../../lib/contexts.ts'
import {contextListView} from '../../lib/views/context.ts'

export default class ContextList extends AtomCommand {
  static override summary = 'List the named targets'
  static override examples = ['<%= config.bin %> context list', '<%= config.bin %> context list -o wide']

  async run(): Promise<ContextEntry[]> {
    await this.parse(ContextList)
    return this.emit(contextListView, listContexts(this.atom.configuration))
  }
}
