import {explainIn, type FieldDoc} from '../document/explain.ts'
import {convertSchema, type JsonSchema} from '../document/json-schema.ts'
import {testSchema} from './schema.ts'

/** Where the schema is published. */
export const TEST_SCHEMA_ID = 'https://atomctl.dev/schemas/wpktest-v1.json'

/** The draft-07 JSON Schema of `*.wpktest.yaml` for editors, from the same zod schema that checks. */
export function testJsonSchema(): JsonSchema {
  const {$schema, ...root} = convertSchema(testSchema())
  return {$schema, $id: TEST_SCHEMA_ID, title: 'Tests of a workflow package v1', ...root}
}

/** Documentation of `wpktest.cases.expect` and the like; undefined for what is not in the format. */
export function explainTestField(path: string): FieldDoc | undefined {
  return explainIn({root: testJsonSchema(), name: 'wpktest'}, path)
}
