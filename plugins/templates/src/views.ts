import {oneLine, renderTable, type Style, type View} from '@atomctl/sdk/output'
import type {Template} from './template.ts'

/** One line of `templates list`. */
export interface TemplateEntry {
  name: string
  origin: string
  runtime: string
  description: string
}

export interface TemplateDetail extends TemplateEntry {
  source: string
  parameters: {name: string; type: string; required: boolean; description: string; default?: unknown}[]
  handlers: {name: string; type: string}[]
  rollback: string[]
  files: string[]
  /** The document as it is written. */
  content: string
}

export function entryOf({name, origin, document}: Template): TemplateEntry {
  const {metadata, spec} = document.wpk
  return {name, origin, runtime: spec.runtime.type, description: metadata.description}
}

export function detailOf(template: Template): TemplateDetail {
  const {source, document, files} = template
  const {parameters = [], handlers, rollback} = document.wpk.spec
  return {
    ...entryOf(template),
    source,
    parameters: parameters.map(({name, type, required = false, description = '', default: fallback}) => ({
      name,
      type,
      required,
      description,
      ...(fallback === undefined ? {} : {default: fallback}),
    })),
    handlers: handlers.map(({name, type}) => ({name, type})),
    rollback: (rollback?.handlers ?? []).map(({name}) => name),
    files: files.map(({path}) => path),
    content: document.text,
  }
}

export const listView: View<TemplateEntry[]> = {
  kind: 'TemplateList',
  text: (entries) => {
    const rows = entries.map(({name, runtime, origin, description}) => [name, runtime, origin, oneLine(description)])
    return renderTable(['NAME', 'RUNTIME', 'FROM', 'DESCRIPTION'], rows)
  },
  names: (entries) => entries.map(({name}) => name),
  items: (entries) => entries,
}

export const showView: View<TemplateDetail> = {
  kind: 'Template',
  text: (detail, style) => describe(detail, style).join('\n'),
  wide: (detail, style) => [...describe(detail, style), '', printed(detail.content)].join('\n'),
  names: ({name}) => [name],
}

function describe(detail: TemplateDetail, style: Style): string[] {
  const {name, description, runtime, parameters, handlers, rollback, files, origin, source} = detail
  return [
    `${style.strong(name)}: ${oneLine(description)}`,
    `  Runtime: ${runtime}`,
    `  From: ${origin === source || source === name ? origin : `${origin}, ${oneLine(source)}`}`,
    `  Handlers: ${handlers.map(({name: step, type}) => `${oneLine(step)} (${oneLine(type)})`).join(', ')}`,
    ...(rollback.length === 0 ? [] : [`  Rollback: ${rollback.map(oneLine).join(', ')}`]),
    ...(files.length === 0 ? [] : [`  Files: ${files.join(', ')}`]),
    ...(parameters.length === 0 ? ['  Parameters: none'] : ['  Parameters:', ...parameters.map(parameterLine)]),
    '',
    `Start from it: atomctl init NAME --template ${oneLine(origin === 'atomctl' || origin === 'yours' ? name : source)}`,
  ]
}

function parameterLine({
  name,
  type,
  required,
  description,
  default: fallback,
}: TemplateDetail['parameters'][0]): string {
  const notes = [
    type,
    ...(required ? ['required'] : []),
    ...(fallback === undefined ? [] : [`default ${JSON.stringify(fallback)}`]),
  ]
  return `    ${name} (${notes.join(', ')})${description === '' ? '' : `: ${oneLine(description)}`}`
}

/** Lines stay lines; what a terminal would obey does not. */
function printed(text: string): string {
  return text.trimEnd().split('\n').map(oneLine).join('\n')
}

export interface KeptTemplate {
  name: string
  source: string
}

export const addView: View<KeptTemplate> = {
  kind: 'Template',
  text: ({name, source}, style) =>
    `${style.good('[SUCCESS]')} Template added: ${name} (from ${oneLine(source)})\n  Start from it: atomctl init NAME --template ${name}`,
  names: ({name}) => [name],
}

export const removeView: View<{name: string}> = {
  kind: 'Template',
  text: ({name}, style) => `${style.good('[SUCCESS]')} Template removed: ${name}`,
  names: ({name}) => [name],
}

export interface CreatedPackage {
  id: string
  template: string
  /** The document. */
  file: string
  /** What to sign and pack: the document, or the directory of a package with files. */
  path: string
  files: string[]
  /** Parameters that every run has to give. */
  required: string[]
}

export const initView: View<CreatedPackage> = {
  kind: 'CreatedPackage',
  text: ({template, file, path, files, required}, style) => {
    const parameters = required.map((name) => ` -p ${name}=…`).join('')
    return [
      `${style.good('[SUCCESS]')} Created ${oneLine(file)} from the template ${oneLine(template)}`,
      ...(files.length > 1 ? [`  Files: ${files.slice(1).map(oneLine).join(', ')}`] : []),
      '',
      'Next:',
      `  atomctl validate ${oneLine(file)}`,
      ...files.filter((one) => one.endsWith('.wpktest.yaml')).map((test) => `  atomctl test ${oneLine(test)}`),
      `  atomctl sign ${oneLine(path)}`,
      path !== file
        ? `  atomctl pack ${oneLine(path)}`
        : `  atomctl run ${oneLine(file)} --local --dry-run${parameters}`,
    ].join('\n')
  },
  names: ({file}) => [file],
}
