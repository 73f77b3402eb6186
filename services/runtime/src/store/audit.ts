import type {Transaction} from 'kysely'
import type {Identity} from '../identity.ts'
import {storable, type RuntimeTables} from './tables.ts'

/** What people do to executions. */
export type AuditAction =
  | 'requested'
  | 'break_glass'
  | 'approved'
  | 'rejected'
  | 'expired'
  | 'cancelled'
  | 'rollback_requested'
  | 'retried'

export interface NewAudit {
  readonly by: {readonly name: string; readonly role: Identity['role'] | 'service'}
  readonly action: AuditAction
  readonly reason?: string | null
}

/** The actor of what the runtime does by itself. */
export const RUNTIME: NewAudit['by'] = {name: 'runtime', role: 'service'}

/** Part of the transaction that does it: there is no deed without its record. */
export async function writeAudit(
  transaction: Transaction<RuntimeTables>,
  executionId: string,
  {by, action, reason}: NewAudit,
): Promise<void> {
  await transaction
    .insertInto('runtime_audit')
    .values({
      execution_id: executionId,
      time: new Date(),
      actor: by.name,
      role: by.role,
      action,
      reason: reason ? storable(reason) : null,
    })
    .execute()
}
