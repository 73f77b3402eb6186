import type {Kysely} from 'kysely'
import type {AuditTable, RegistryTables} from './schema.ts'

export interface AuditEntry {
  readonly who: string
  readonly action: AuditTable['action']
  readonly workflowId: string
  readonly digest: string | null
  readonly at: Date
}

/** Pass the transaction of the change: either both are there or neither. */
export async function recordAudit(transaction: Kysely<RegistryTables>, entry: AuditEntry): Promise<void> {
  const {who, action, workflowId, digest, at} = entry
  await transaction.insertInto('registry_audit').values({who, action, workflow_id: workflowId, digest, at}).execute()
}
