import type {ColumnType, Generated} from 'kysely'

/** A bigint column: pg returns it as text. */
type Big = ColumnType<string, number | string, number | string>
type Time = ColumnType<Date, Date | string, Date | string>

/** One accepted package. `json` columns hold JSON text, so that keys keep their order and numbers their digits. */
export interface PackageTable {
  /** Rises in the order of acceptance; the cursor of the list. */
  seq: Generated<string>
  id: string
  name: string
  version: string
  description: string
  author: string
  created: string
  tags: ColumnType<string[], string, string>
  safety_mode: string
  runtime_type: string
  signature: string
  digest: string
  document_digest: string
  size: Big
  media_type: string
  bytes_id: string
  document_json: string
  /** The detached bundle of an archive, as it was pushed with it. */
  bundle_json: string | null
  registered_at: Time
  registered_by: string
  latest_run_json: string | null
  latest_run_at: Time | null
  total_runs: Generated<number>
}

export interface RunTable {
  seq: Generated<string>
  workflow_id: string
  run_id: string
  status: string
  duration_ms: number | null
  created_at: Time
}

/** Written in the same transaction as the change it tells of, and never changed. */
export interface AuditTable {
  seq: Generated<string>
  at: Time
  who: string
  action: 'push' | 'delete' | 'notify'
  workflow_id: string
  digest: string | null
}

export interface RegistryTables {
  registry_packages: PackageTable
  registry_runs: RunTable
  registry_audit: AuditTable
}
