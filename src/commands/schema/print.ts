import {AtomCommand} from '@atomctl/sdk/command'
import type {View} from '@atomctl/sdk/output'

const view: View<object> = {
  kind: 'JsonSchema',
  text: (schema) => JSON.stringify(schema, undefined, 2),
}

export default class SchemaPrint extends AtomCommand {
  static override summary = 'Print the JSON Schema of the package format'
  static override description = `JSON Schema draft-07, for editors: save it and name it in the first line of a package,
# yaml-language-server: $schema=wpk.schema.json`
  static override examples = ['<%= config.bin %> schema print > wpk.schema.json']

  async run(): Promise<object> {
    await this.parse(SchemaPrint)
    const {jsonSchema} = await import('@atomctl/wpk/document')
    return this.emit(view, jsonSchema())
  }
}
