import type {StoredPackage} from '@atomctl/protocol/packages'
import type {Storage} from '@atomctl/storage'
import {sql, type Insertable, type Kysely, type Selectable, type Transaction} from 'kysely'
import type {AdmittedPackage} from './admission.ts'
import {recordAudit} from './audit.ts'
import {Refusal, unknownWorkflow} from './refusal.ts'
import type {PackageTable, RegistryTables} from './schema.ts'

export type PackageRow = Selectable<PackageTable>
type Draft = Omit<Insertable<PackageTable>, 'bytes_id'>

/** Content up to this size is written inside the transaction that registers it: a few rows, a few milliseconds. */
const INLINE_BYTES = 1024 * 1024

/** The packages and their bytes. What is registered never changes: another content needs another version. */
export class PackageStore {
  readonly #storage: Storage
  readonly #database: Kysely<RegistryTables>

  constructor(storage: Storage) {
    this.#storage = storage
    this.#database = storage.database<RegistryTables>()
  }

  async find(id: string): Promise<PackageRow> {
    const row = await this.#database.selectFrom('registry_packages').selectAll().where('id', '=', id).executeTakeFirst()
    if (!row) throw unknownWorkflow()
    return row
  }

  /** False when the same bytes were there already; throws a 409 Refusal when there are others. */
  async register(admitted: AdmittedPackage, who: string): Promise<boolean> {
    const draft = describePackage(admitted, who)
    if (await isThere(this.#database, draft)) return false
    if (draft.size <= INLINE_BYTES) return this.#registerInline(draft, admitted)
    return this.#registerStaged(draft, admitted)
  }

  #registerInline(draft: Draft & {size: number}, {spool}: AdmittedPackage): Promise<boolean> {
    return this.#insert(draft, async (transaction) => (await this.#storage.bytes.write(spool.open(), transaction)).id)
  }

  /** Large content is staged in many short statements first, so that others are served meanwhile; what a crash left is swept. */
  async #registerStaged(draft: Draft, {spool}: AdmittedPackage): Promise<boolean> {
    const {bytes} = this.#storage
    await bytes.sweep()
    const {id} = await bytes.stage(spool.open())
    const created = await this.#insert(draft, async (transaction) => {
      await bytes.keep(id, transaction)
      return id
    }).catch(async (error: unknown) => {
      await bytes.remove(id)
      throw error
    })
    if (!created) await bytes.remove(id)
    return created
  }

  /** The lock makes check and insert one step, and `seq` rise in the order in which packages become visible. */
  #insert(draft: Draft, storeBytes: (transaction: Transaction<RegistryTables>) => Promise<string>): Promise<boolean> {
    return this.#database.transaction().execute(async (transaction) => {
      await sql`select pg_advisory_xact_lock(hashtext('atomctl registry'))`.execute(transaction)
      if (await isThere(transaction, draft)) return false
      const bytesId = await storeBytes(transaction)
      await transaction
        .insertInto('registry_packages')
        .values({...draft, bytes_id: bytesId})
        .execute()
      const {registered_by: who, id: workflowId, digest} = draft
      await recordAudit(transaction, {who, action: 'push', workflowId, digest, at: draft.registered_at as Date})
      return true
    })
  }

  async remove(id: string, who: string): Promise<void> {
    await this.#database.transaction().execute(async (transaction) => {
      const row = await transaction
        .deleteFrom('registry_packages')
        .where('id', '=', id)
        .returning(['bytes_id', 'digest'])
        .executeTakeFirst()
      if (!row) throw unknownWorkflow()
      await this.#storage.bytes.remove(row.bytes_id, transaction)
      await recordAudit(transaction, {who, action: 'delete', workflowId: id, digest: row.digest, at: new Date()})
    })
  }

  async open(id: string): Promise<StoredPackage | undefined> {
    const row = await this.#database
      .selectFrom('registry_packages')
      .select(['digest', 'media_type', 'bytes_id'])
      .where('id', '=', id)
      .executeTakeFirst()
    return row && {digest: row.digest, mediaType: row.media_type, chunks: this.#storage.bytes.read(row.bytes_id)}
  }

  readBytes(row: PackageRow): AsyncIterable<Uint8Array> {
    return this.#storage.bytes.read(row.bytes_id)
  }
}

async function isThere(database: Kysely<RegistryTables>, {id, digest}: Draft): Promise<boolean> {
  const row = await database.selectFrom('registry_packages').select('digest').where('id', '=', id).executeTakeFirst()
  if (!row) return false
  if (row.digest === digest) return true
  throw new Refusal(409, `${id} exists with other content: it is ${row.digest}, this is ${digest}`, {
    code: 'VERSION_EXISTS',
    hint: 'raise metadata.version, sign and push again',
  })
}

function describePackage({verified, mediaType, spool, bundle}: AdmittedPackage, who: string) {
  const {document} = verified
  const {metadata, spec} = document.wpk
  const now = new Date()
  return {
    id: document.id,
    name: document.name,
    version: document.version,
    description: metadata.description,
    author: metadata.author,
    created: metadata.created ?? now.toISOString(),
    tags: JSON.stringify(metadata.tags ?? []),
    safety_mode: spec.safety.mode,
    runtime_type: spec.runtime.type,
    signature: metadata.signature ?? '',
    digest: spool.digest,
    document_digest: verified.digest,
    size: spool.size,
    media_type: mediaType,
    document_json: JSON.stringify(document.value),
    bundle_json: bundle ? JSON.stringify(bundle) : null,
    registered_at: now,
    registered_by: who,
  }
}
