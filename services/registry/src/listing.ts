import type {VersionList, WorkflowList, WorkflowQuery} from '@atomctl/protocol/registry'
import {sql, type Kysely, type SelectQueryBuilder} from 'kysely'
import {describeEntry, ENTRY_COLUMNS} from './entries.ts'
import {invalidInput, unknownWorkflow} from './refusal.ts'
import type {RegistryTables} from './schema.ts'

type PackageQuery<Columns> = SelectQueryBuilder<RegistryTables, 'registry_packages', Columns>

/**
 * Protocol section 2.3: in order of acceptance, all filters combined, everything when no `limit` is given. A cursor
 * is the position of the last entry seen, so packages that come in between shift nothing.
 */
export async function listPackages(database: Kysely<RegistryTables>, query: WorkflowQuery): Promise<WorkflowList> {
  const {limit, cursor} = query
  const matching = applyFilters(database.selectFrom('registry_packages'), query)
  const rows = await matching
    .select(ENTRY_COLUMNS)
    .orderBy('seq')
    .$if(cursor !== undefined, (page) => page.where('seq', '>', decodeCursor(cursor ?? '')))
    .$if(limit !== undefined, (page) => page.limit((limit ?? 0) + 1))
    .execute()
  if (limit === undefined && cursor === undefined) {
    return {workflows: rows.map(describeEntry), total: rows.length, next_cursor: null}
  }
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const {total} = await matching.select((count) => count.fn.countAll().as('total')).executeTakeFirstOrThrow()
  const nextCursor = last && rows.length > page.length ? encodeCursor(last.seq) : null
  return {workflows: page.map(describeEntry), total: Number(total), next_cursor: nextCursor}
}

function applyFilters<Columns>(packages: PackageQuery<Columns>, query: WorkflowQuery): PackageQuery<Columns> {
  const {tag, runtime, safety_mode: mode, name, q} = query
  return packages
    .$if(name !== undefined, (rows) => rows.where('name', '=', name ?? ''))
    .$if(runtime !== undefined, (rows) => rows.where('runtime_type', '=', runtime ?? ''))
    .$if(mode !== undefined, (rows) => rows.where('safety_mode', '=', mode ?? ''))
    .$if(tag !== undefined, (rows) => rows.where(sql<boolean>`tags @> ${JSON.stringify([tag])}::jsonb`))
    .$call((rows) => words(q).reduce((found, word) => found.where(matchesWord(word)), rows))
}

/** Every word must occur somewhere, whatever the case: a registry is small enough to look. */
function matchesWord(word: string) {
  const pattern = `%${word.replace(/[\\%_]/g, String.raw`\$&`)}%`
  return sql<boolean>`(name || ' ' || description || ' ' || author || ' ' || tags::text) ilike ${pattern}`
}

function words(text = ''): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}

function encodeCursor(seq: string): string {
  return Buffer.from(`seq:${seq}`).toString('base64url')
}

function decodeCursor(cursor: string): string {
  const [, seq] = /^seq:(\d{1,18})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (seq === undefined) throw invalidInput(['query', 'cursor'], 'not a cursor of this registry')
  return seq
}

/** All versions of one name, the newest version number first. */
export async function listVersions(database: Kysely<RegistryTables>, name: string): Promise<VersionList> {
  const rows = await database
    .selectFrom('registry_packages')
    .select(['id', 'version', 'digest', 'registered_at'])
    .where('name', '=', name)
    .orderBy(sql`string_to_array(version, '.')::numeric[]`, 'desc')
    .execute()
  if (rows.length === 0) throw unknownWorkflow()
  const versions = rows.map(({registered_at: at, ...row}) => ({...row, registered_at: at.toISOString()}))
  return {name, versions}
}
