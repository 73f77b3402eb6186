import {printable, renderTable, type View} from '@atomctl/sdk/output'
import type {PackageDescription} from '../description.ts'
import {instant} from './list.ts'
import {provenanceLines} from './provenance.ts'

export const inspectView: View<PackageDescription> = {
  kind: 'PackageDescription',
  text: (data) =>
    [
      `${data.name} v${data.version}`,
      `  ${printable(data.description)}`,
      '',
      `  ID: ${data.id}`,
      `  Author: ${printable(data.author)}`,
      `  Runtime: ${printable(data.runtime)}`,
      `  Safety: ${data.safety}`,
      `  Tags: ${data.tags.map(printable).join(', ') || '-'}`,
      `  Digest: ${data.digest}`,
      ...(data.registered ? [`  Registered: ${instant(data.registered)}`] : []),
      `  Risk: ${data.risk.score}/100 (${data.risk.level}), policy decision: ${data.risk.decision}`,
      `  Signature: ${signature(data.signature)}`,
      ...(data.provenance ? provenanceLines(data.provenance) : []),
      ...section('Handlers', handlerRows(data.handlers)),
      ...section('Rollback', handlerRows(data.rollback)),
      ...section('Parameters', parameterRows(data.parameters)),
      ...section(
        'Files',
        data.files.map(({path, size}) => [printable(path), `${size} bytes`]),
      ),
    ].join('\n'),
  names: ({id}) => [id],
}

function signature({status, reason, rule, signers}: PackageDescription['signature']): string {
  if (status === 'trusted') return `trusted: ${signers.join(', ')} by rule ${rule}`
  return `${status}${reason ? `: ${printable(reason)}` : ''}`
}

function handlerRows(handlers: PackageDescription['handlers']): string[][] {
  return handlers.map(({name, type, does}) => [
    printable(name),
    type,
    printable(does.split('\n')[0] ?? '').slice(0, 60),
  ])
}

function parameterRows(parameters: PackageDescription['parameters']): string[][] {
  return parameters.map(({name, type, required, description = ''}) => [
    name,
    type,
    required ? 'required' : 'optional',
    printable(description),
  ])
}

function section(title: string, rows: readonly (readonly string[])[]): string[] {
  const [first, ...others] = rows
  if (!first) return []
  const lines = renderTable([...first], others).split('\n')
  return ['', `  ${title}:`, ...lines.map((line) => `    ${line}`)]
}
