import {renderTable, type Style, type View} from '@atomctl/sdk/output'
import type {Explanation} from '../explanation.ts'

export const explainView: View<Explanation> = {
  kind: 'Explanation',
  text: describe,
  names: (explanation) =>
    explanation.kind === 'field' ? [...explanation.fields.map(({name}) => name), ...explanation.topics] : [],
}

function describe(explanation: Explanation, style: Style): string {
  if (explanation.kind === 'error') return describeError(explanation, style)
  if (explanation.kind === 'field') return describeField(explanation, style)
  const {rule, level, cwe, advice} = explanation
  return `${style.strong(rule)}  ${level}, ${cwe}\n\n  Fix: ${advice}`
}

function describeError({code, exit, summary, cause, cure}: Failure, style: Style): string {
  const parts = [summary, `Cause: ${cause}`, `Cure:  ${cure}`]
  return [`${style.strong(code)}  exit ${exit}`, ...parts.map((part) => `  ${part}`)].join('\n\n')
}

type Failure = Extract<Explanation, {kind: 'error'}>
type Field = Extract<Explanation, {kind: 'field'}>

function describeField({path, type, required, description, fields, topics, examples}: Field, style: Style): string {
  const table = renderTable(
    ['NAME', 'TYPE', 'REQUIRED', 'DESCRIPTION'],
    fields.map((field) => [field.name, field.type, field.required ? 'yes' : 'no', field.description]),
  )
  return [
    `${style.strong(path)}  ${type}${required ? ', required' : ''}`,
    ...(description === '' ? [] : ['', ...indent(description)]),
    ...(fields.length === 0 ? [] : ['', ...indent(table)]),
    ...(topics.length === 0 ? [] : ['', `  More: ${topics.map((topic) => `${path}.${topic}`).join(', ')}`]),
    ...(examples.length === 0 ? [] : ['', '  Examples:', ...examples.flatMap((example) => indent(example, '    '))]),
  ].join('\n')
}

function indent(text: string, by = '  '): string[] {
  return text.split('\n').map((line) => by + line)
}
