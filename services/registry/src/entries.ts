import type {WorkflowEntry} from '@atomctl/protocol/registry'
import type {Json, JsonObject} from '@atomctl/protocol/values'
import type {Selectable} from 'kysely'
import type {PackageTable} from './schema.ts'

/** The columns an entry is made of: everything but the document itself. */
export const ENTRY_COLUMNS = [
  'seq',
  'id',
  'name',
  'version',
  'description',
  'author',
  'created',
  'tags',
  'safety_mode',
  'runtime_type',
  'signature',
  'digest',
  'document_digest',
  'size',
  'media_type',
  'registered_at',
  'latest_run_json',
  'latest_run_at',
  'total_runs',
] as const

export type EntryRow = Pick<Selectable<PackageTable>, (typeof ENTRY_COLUMNS)[number]>

/** A row as the protocol shows it (section 2.3). `file_path` names a file the original had; here it is a name only. */
export function describeEntry(row: EntryRow): WorkflowEntry {
  return {
    id: row.id,
    name: row.name,
    version: row.version,
    description: row.description,
    author: row.author,
    created: row.created,
    tags: row.tags,
    safety_mode: row.safety_mode,
    runtime_type: row.runtime_type,
    file_path: `data/${row.id}${row.media_type === 'application/gzip' ? '.wpk.tar.gz' : '.wpk.yaml'}`,
    signature: row.signature,
    registered_at: row.registered_at.toISOString(),
    ...describeLatestRun(row),
    digest: row.digest,
    document_digest: row.document_digest,
    size: Number(row.size),
    media_type: row.media_type,
  }
}

/** Present only after the first notification. */
function describeLatestRun(row: EntryRow): Partial<WorkflowEntry> {
  if (row.latest_run_json === null || row.latest_run_at === null) return {}
  const {run_id: id = null, status = null} = JSON.parse(row.latest_run_json) as {run_id?: Json; status?: Json}
  return {
    latest_run_id: id,
    latest_run_status: status,
    latest_run_at: row.latest_run_at.toISOString(),
    total_runs: row.total_runs,
  }
}

export function parseDocument(row: Pick<Selectable<PackageTable>, 'document_json'>): JsonObject {
  return JSON.parse(row.document_json) as JsonObject
}
