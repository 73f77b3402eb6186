import {AtomCommand} from '@atomctl/sdk/command'
import {listTemplates} from '../../catalogue.ts'
import {entryOf, listView, type TemplateEntry} from '../../views.ts'

export default class TemplatesList extends AtomCommand {
  static override summary = 'List the templates'
  static override examples = ['<%= config.bin %> templates list', '<%= config.bin %> templates list -o name']

  async run(): Promise<TemplateEntry[]> {
    await this.parse(TemplatesList)
    const templates = await listTemplates(this.atom)
    return this.emit(listView, templates.map(entryOf))
  }
}
