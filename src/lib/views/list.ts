import type {WorkflowEntry} from '@atomctl/protocol/registry'
import {parseTimestamp} from '@atomctl/protocol/values'
import {printable, renderTable, type Style, type View} from '@atomctl/sdk/output'

export const listView: View<WorkflowEntry[]> = {
  kind: 'WorkflowList',
  text: (workflows, style) =>
    workflows.length === 0
      ? 'No workflows found in registry'
      : [`Found ${workflows.length} workflows:`, ...workflows.map((entry) => block(entry, style))].join('\n\n'),
  wide: (workflows) =>
    workflows.length === 0
      ? 'No workflows found in registry'
      : renderTable(
          ['ID', 'AUTHOR', 'RUNTIME', 'SAFETY', 'TAGS', 'REGISTERED', 'DIGEST'],
          workflows.map((entry) => [entry.id, ...columns(entry), instant(entry.registered_at), entry.digest ?? '-']),
        ),
  names: (workflows) => workflows.map(({id}) => id),
  items: (workflows) => workflows,
}

function block(entry: WorkflowEntry, style: Style): string {
  const [author = '', runtime = '', safety = '', tags = ''] = columns(entry)
  return [
    style.strong(`${printable(entry.name)} v${printable(entry.version)}`),
    `   ID: ${printable(entry.id)}`,
    `   Author: ${author}`,
    `   Runtime: ${runtime}`,
    `   Safety: ${safety}`,
    `   Tags: ${tags}`,
  ].join('\n')
}

function columns({author, runtime_type: runtime, safety_mode: safety, tags}: WorkflowEntry): string[] {
  return [shown(author), shown(runtime), shown(safety), Array.isArray(tags) ? tags.map(shown).join(', ') : shown(tags)]
}

/** Any JSON the registry may hold, as text (protocol section 2.3: only the ids are strings for sure). */
export function shown(value: unknown): string {
  if (value === undefined || value === null) return '-'
  return printable(typeof value === 'string' ? value : JSON.stringify(value))
}

/** A service timestamp in UTC with `Z`, whatever the service left out. */
export function instant(text: string | null | undefined): string {
  if (!text) return '-'
  return parseTimestamp(text)?.toISOString().replace('.000Z', 'Z') ?? printable(text)
}
