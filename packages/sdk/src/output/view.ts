import {createEnvelope} from './envelope.ts'
import type {ErrorReport} from '../errors.ts'
import type {Format} from './format.ts'
import type {Style} from './style.ts'

/** How one kind of result looks; a command owns its view and knows no format. */
export interface View<T> {
  /** `kind` of the envelope. */
  readonly kind: string
  /** Human text without a final newline. */
  text(data: T, style: Style): string
  /** Human text with every column; `text` where absent. */
  wide?(data: T, style: Style): string
  /** Ids, one a line, for `-o name` and `-q`. */
  names?(data: T): readonly string[]
  /** The elements `-o ndjson` prints one a line; the data itself where absent. */
  items?(data: T): readonly unknown[]
}

export interface RenderOptions {
  readonly format: Format
  readonly style: Style
  readonly warnings: readonly string[]
  readonly error?: ErrorReport
}

/** A result in the format asked for, without the final newline; '' prints nothing. */
export async function render<T>(view: View<T>, data: T, options: RenderOptions): Promise<string> {
  const {format, style, warnings, error} = options
  switch (format) {
    case 'json':
      return JSON.stringify(createEnvelope(view.kind, data, warnings, error), undefined, 2)
    case 'yaml':
      return renderYaml(createEnvelope(view.kind, data, warnings, error))
    case 'ndjson':
      return (view.items?.(data) ?? [data]).map((item) => JSON.stringify(item)).join('\n')
    case 'name':
      return (view.names?.(data) ?? []).join('\n')
    case 'wide':
      return (view.wide ?? view.text).call(view, data, style)
    default:
      return view.text(data, style)
  }
}

async function renderYaml(envelope: object): Promise<string> {
  const {stringifyYaml} = await import('@atomctl/wpk/document')
  // through JSON, so that YAML shows exactly what -o json shows (no undefined, dates as text)
  return stringifyYaml(JSON.parse(JSON.stringify(envelope))).trimEnd()
}
