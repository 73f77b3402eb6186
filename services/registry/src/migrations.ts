import {sql, type CreateTableBuilder, type Kysely} from 'kysely'
import type {Migration} from 'kysely/migration'

export const REGISTRY_MIGRATIONS: Record<string, Migration> = {
  '001_packages': {
    async up(database) {
      await createPackages(database)
      await createRuns(database)
      await createAudit(database)
    },
  },
}

async function createPackages(database: Kysely<unknown>): Promise<void> {
  const table = database.schema
    .createTable('registry_packages')
    .addColumn('seq', 'bigserial', (column) => column.primaryKey())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('version', 'text', (column) => column.notNull())
    .addColumn('tags', 'jsonb', (column) => column.notNull())
    .addColumn('size', 'bigint', (column) => column.notNull())
    .addColumn('bytes_id', 'uuid', (column) => column.notNull())
    .addColumn('bundle_json', 'text')
    .addColumn('registered_at', 'timestamptz', (column) => column.notNull())
    .addColumn('latest_run_json', 'text')
    .addColumn('latest_run_at', 'timestamptz')
    .addColumn('total_runs', 'integer', (column) => column.notNull().defaultTo(0))
    .addUniqueConstraint('registry_packages_version', ['name', 'version'])
  await TEXTS.reduce(
    (wider, name) => wider.addColumn(name, 'text', (column) => column.notNull()),
    table as TextTable,
  ).execute()
  await sql`create index registry_packages_tags on registry_packages using gin (tags)`.execute(database)
}

/** The builder's type grows with every column; a loop needs one that does not. */
type TextTable = CreateTableBuilder<string>

const TEXTS = [
  'description',
  'author',
  'created',
  'safety_mode',
  'runtime_type',
  'signature',
  'digest',
  'document_digest',
  'media_type',
  'document_json',
  'registered_by',
] as const

/** Runs outlive the package they are of: a history is what happened. */
async function createRuns(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('registry_runs')
    .addColumn('seq', 'bigserial', (column) => column.primaryKey())
    .addColumn('workflow_id', 'text', (column) => column.notNull())
    .addColumn('run_id', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('duration_ms', 'double precision')
    .addColumn('created_at', 'timestamptz', (column) => column.notNull())
    .addUniqueConstraint('registry_runs_key', ['workflow_id', 'run_id'])
    .execute()
}

async function createAudit(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('registry_audit')
    .addColumn('seq', 'bigserial', (column) => column.primaryKey())
    .addColumn('at', 'timestamptz', (column) => column.notNull())
    .addColumn('who', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('workflow_id', 'text', (column) => column.notNull())
    .addColumn('digest', 'text')
    .execute()
}
