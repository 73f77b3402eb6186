import {isAbsolute, sep} from 'node:path'
import {pathToFileURL} from 'node:url'
import type {Finding, Severity} from '@atomctl/wpk/document'
import type {FileReport, ValidationReport} from '../report.ts'

const LEVELS: Readonly<Record<Severity, string>> = {error: 'error', warning: 'warning', info: 'note'}

/** SARIF 2.1.0 (OASIS), as code-scanning services read it. */
export function renderSarif({files}: ValidationReport, version: string): string {
  const findings = files.flatMap(({findings: own}) => own)
  const log = {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {driver: {name: 'atomctl', version, rules: rulesOf(findings)}},
        columnKind: 'utf16CodeUnits',
        results: files.flatMap((file) => file.findings.map((finding) => resultOf(finding, file))),
      },
    ],
  }
  return JSON.stringify(log, undefined, 2)
}

function rulesOf(findings: readonly Finding[]): object[] {
  const rules = new Map(findings.map((finding) => [finding.rule, finding]))
  return [...rules.values()].map(({rule, cwe}) => ({
    id: rule,
    ...(cwe === undefined ? {} : {properties: {tags: ['security', `external/cwe/${cwe.toLowerCase()}`]}}),
  }))
}

function resultOf(finding: Finding, {file}: FileReport): object {
  const {rule, severity, message, suggestion, suppressed, path} = finding
  return {
    ruleId: rule,
    level: LEVELS[severity],
    message: {text: suggestion === undefined ? message : `${message}\n${suggestion}`},
    locations: [
      {
        physicalLocation: {artifactLocation: {uri: uriOf(file)}, ...regionOf(finding)},
        ...(path === '' ? {} : {logicalLocations: [{fullyQualifiedName: path}]}),
      },
    ],
    ...(suppressed === undefined ? {} : {suppressions: [{kind: 'inSource', justification: suppressed}]}),
  }
}

function regionOf({position}: Finding): object {
  return position ? {region: {startLine: position.line, startColumn: position.column}} : {}
}

/** A URI reference: relative paths stay relative, so that the service finds the file in its checkout. */
function uriOf(file: string): string {
  if (isAbsolute(file)) return pathToFileURL(file).href
  return file.split(sep).map(encodeURIComponent).join('/')
}
