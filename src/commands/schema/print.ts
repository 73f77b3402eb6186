import {AtomCommand} from '@atomctl/sdk/command'
import type {View} from '@atomctl/sdk/output'
import * as Flags from '@oclif/core/flags'

const view: View<object> = {
  kind: 'JsonSchema',
  text: (schema) => JSON.stringify(schema, undefined, 2),
}

export default class SchemaPrint extends AtomCommand {
  static override summary = 'Print the JSON Schema of the package format'
  static override description = `JSON Schema draft-07, for editors: save it and name it in the first line of a package,
# yaml-language-server: $schema=wpk.schema.json`
  static override examples = [
    '<%= config.bin %> schema print > wpk.schema.json',
    '<%= config.bin %> schema print --test > wpktest.schema.json',
  ]
  static override flags = {test: Flags.boolean({description: 'The schema of *.wpktest.yaml files instead'})}

  async run(): Promise<object> {
    const {flags} = await this.parse(SchemaPrint)
    if (flags.test) {
      const {testJsonSchema} = await import('@atomctl/wpk/tests')
      return this.emit(view, testJsonSchema())
    }
    const {jsonSchema} = await import('@atomctl/wpk/document')
    return this.emit(view, jsonSchema())
  }
}
