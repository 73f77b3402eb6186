import type {Json, JsonObject} from '../canonical.ts'
import type {Finding, Locate} from '../document/finding.ts'
import {hasErrors} from '../document/finding.ts'
import {parseYaml} from '../document/gate.ts'
import {schemaFindings} from '../document/shape.ts'
import type {WpkTest} from './schema.ts'
import {testSchema} from './schema.ts'

export interface TestDocument {
  readonly source: string
  readonly test: WpkTest
  /** Where a path like `cases[0].expect` stands in the text. */
  readonly locate: Locate
}

export interface TestReading {
  /** Set when no finding is an error. */
  readonly document?: TestDocument
  readonly findings: readonly Finding[]
}

/** The gate and the schema of a test file. Never throws on bad input: whatever is wrong is a finding with its place. */
export function readTest(bytes: Uint8Array, source: string): TestReading {
  const {value, reading, findings, locate} = parseYaml(bytes, source)
  const shape = reading === undefined ? [] : shapeFindings(reading).map((finding) => placed(finding, locate))
  const all = [...findings, ...shape]
  if (hasErrors(all) || !isMapping(value)) return {findings: all}
  return {document: {source, test: value as unknown as WpkTest, locate}, findings: all}
}

function shapeFindings(value: Json): Finding[] {
  const path = ''
  if (isMapping(value)) return schemaFindings(testSchema(), value, [])
  return [{rule: 'schema_type', severity: 'error', message: 'A test file is a mapping at the top', path}]
}

/** The finding with its place in the text. */
export function placed(finding: Finding, locate: Locate): Finding {
  const position = locate(finding.path)
  return position ? {...finding, position} : finding
}

function isMapping(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
