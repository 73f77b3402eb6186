import type {Json, JsonObject} from '../canonical.ts'
import {AtomError} from '../errors.ts'
import type {Finding, Locate} from './finding.ts'
import {hasErrors} from './finding.ts'
import {parseYaml} from './gate.ts'
import {checkJson} from './json-gate.ts'
import type {Wpk} from './schema.ts'
import {checkSemantics} from './semantics/index.ts'
import {checkConfigurations} from './configuration-shape.ts'
import {checkShape} from './shape.ts'

/** A document that passed the gate, the schema and the semantic checks. The bytes are as they were read. */
export interface WpkDocument {
  readonly source: string
  readonly bytes: Uint8Array
  readonly text: string
  readonly value: JsonObject
  readonly wpk: Wpk
  readonly name: string
  readonly version: string
  /** `<name>-<version>`, the id the registry uses. */
  readonly id: string
  /** Where a path stands in the text, or its nearest ancestor; undefined for documents that came as JSON. */
  locate: Locate
}

export interface ReadResult {
  /** Set when no finding is an error. */
  document?: WpkDocument
  /** Set when the gate accepted the document and it is a mapping, whatever the schema says. */
  value?: JsonObject
  findings: Finding[]
}

/** Gate, schema and semantic checks in one pass. Never throws on bad input: whatever is wrong is a finding. */
export function readDocument(bytes: Uint8Array, source: string): ReadResult {
  const {text, value, reading, findings, locate} = parseYaml(bytes, source)
  if (reading === undefined) return {findings}
  const checks = checkValue(reading).map((finding) => placeFinding(finding, locate))
  const all = [...findings, ...checks].toSorted(byPosition)
  if (!isMapping(value)) return {findings: all}
  if (hasErrors(all)) return {value, findings: all}
  return {document: createDocument({source, bytes, text, value, locate}), value, findings: all}
}

/** Like readDocument, for callers that cannot go on: throws WPK_UNREADABLE (gate) or WPK_INVALID, with details.findings. */
export function loadDocument(bytes: Uint8Array, source: string): WpkDocument {
  const {document, value, findings} = readDocument(bytes, source)
  if (document) return document
  throw value ? invalid(source, findings) : unreadable(source, findings)
}

/**
 * The same checks on a value that came as JSON, e.g. from a registry. The bytes are its JSON text, which is YAML too.
 * Findings have no positions.
 */
export function documentFromJson(value: JsonObject, source: string): ReadResult {
  const gate = checkJson(value)
  const findings = hasErrors(gate) ? gate : checkValue(value)
  if (hasErrors(findings)) return {value, findings}
  const text = JSON.stringify(value)
  const bytes = new TextEncoder().encode(text)
  return {document: createDocument({source, bytes, text, value, locate: () => undefined}), value, findings}
}

function checkValue(value: Json): Finding[] {
  if (!isMapping(value)) {
    return [{rule: 'schema_type', severity: 'error', message: 'A workflow package is a mapping at the top', path: ''}]
  }
  const shape = checkShape(value)
  const semantics = shape.some(isStructural) ? [] : checkSemantics(value as unknown as Wpk)
  return [...shape, ...checkConfigurations(value), ...semantics]
}

/** Errors after which the semantic checks could meet a value of another type than they expect. */
function isStructural({rule, path}: Finding): boolean {
  if (rule === 'schema_unknown_key') return false
  return !/^(?:apiVersion|kind|metadata\.(?!created))/.test(path)
}

function placeFinding(finding: Finding, locate: Locate): Finding {
  const position = locate(finding.path)
  return position ? {...finding, position} : finding
}

function byPosition(left: Finding, right: Finding): number {
  if (!left.position || !right.position) return Number(Boolean(left.position)) - Number(Boolean(right.position))
  return left.position.line - right.position.line || left.position.column - right.position.column
}

type Origin = Pick<WpkDocument, 'source' | 'bytes' | 'text' | 'value' | 'locate'>

function createDocument(origin: Origin): WpkDocument {
  const wpk = origin.value as unknown as Wpk
  const {name, version} = wpk.metadata
  return {...origin, wpk, name, version, id: `${name}-${version}`}
}

function invalid(source: string, findings: Finding[]): AtomError {
  return new AtomError('WPK_INVALID', `${source} is not a valid workflow package: ${firstError(findings)}`, {
    hint: `atomctl validate ${source}`,
    details: {findings},
  })
}

function unreadable(source: string, findings: Finding[]): AtomError {
  return new AtomError('WPK_UNREADABLE', `${source} cannot be read as a workflow package: ${firstError(findings)}`, {
    hint: findings.some(({fix}) => fix) ? `atomctl validate --fix ${source}` : `atomctl validate ${source}`,
    details: {findings},
  })
}

function firstError(findings: readonly Finding[]): string {
  const errors = findings.filter(({severity}) => severity === 'error')
  const [first] = errors
  if (!first) return 'no findings'
  const place = first.position ? `${first.position.line}:${first.position.column} ` : ''
  return `${place}${first.message}${errors.length > 1 ? ` (and ${errors.length - 1} more)` : ''}`
}

function isMapping(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
