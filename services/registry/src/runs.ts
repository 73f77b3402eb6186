import {randomUUID} from 'node:crypto'
import type {RunHistory} from '@atomctl/protocol/registry'
import {parseTimestamp, type Json, type JsonObject} from '@atomctl/protocol/values'
import type {Kysely, Transaction} from 'kysely'
import {recordAudit} from './audit.ts'
import {unknownWorkflow} from './refusal.ts'
import type {RegistryTables} from './schema.ts'

export interface RunNotice {
  readonly workflowId: string
  /** `run_id` and `status` are copied unchecked, as the protocol has it. */
  readonly body: JsonObject
  readonly who: string
}

/** Records what a runtime tells of a run; a second notice of the same `run_id` updates the first. */
export async function recordRun(database: Kysely<RegistryTables>, {workflowId, body, who}: RunNotice): Promise<void> {
  const at = new Date()
  await database.transaction().execute(async (transaction) => {
    const row = await transaction
      .selectFrom('registry_packages')
      .select('digest')
      .where('id', '=', workflowId)
      .forUpdate()
      .executeTakeFirst()
    if (!row) throw unknownWorkflow()
    const isNew = await saveRun(transaction, workflowId, body, at)
    await saveLatest(transaction, {workflowId, body, at, isNew})
    await recordAudit(transaction, {who, action: 'notify', workflowId, digest: row.digest, at})
  })
}

async function saveRun(
  transaction: Transaction<RegistryTables>,
  workflowId: string,
  body: JsonObject,
  at: Date,
): Promise<boolean> {
  const runId = asText(body['run_id']) ?? randomUUID()
  const known = await transaction
    .selectFrom('registry_runs')
    .select('created_at')
    .where('workflow_id', '=', workflowId)
    .where('run_id', '=', runId)
    .executeTakeFirst()
  const status = asText(body['status']) ?? 'unknown'
  if (!known) {
    const run = {workflow_id: workflowId, run_id: runId, created_at: at, status, duration_ms: durationOf(body)}
    await transaction.insertInto('registry_runs').values(run).execute()
    return true
  }
  const elapsed = at.getTime() - known.created_at.getTime()
  await transaction
    .updateTable('registry_runs')
    .set({status, duration_ms: durationOf(body) ?? elapsed})
    .where('workflow_id', '=', workflowId)
    .where('run_id', '=', runId)
    .execute()
  return false
}

async function saveLatest(
  transaction: Transaction<RegistryTables>,
  {workflowId, body, at, isNew}: {workflowId: string; body: JsonObject; at: Date; isNew: boolean},
): Promise<void> {
  const latest = JSON.stringify({run_id: body['run_id'] ?? null, status: body['status'] ?? null})
  await transaction
    .updateTable('registry_packages')
    .set((columns) => ({
      latest_run_json: latest,
      latest_run_at: at,
      total_runs: columns('total_runs', '+', isNew ? 1 : 0),
    }))
    .where('id', '=', workflowId)
    .execute()
}

/** Milliseconds, as told or between the two times told; null when neither is. */
function durationOf(body: JsonObject): number | null {
  const told = body['duration_ms']
  if (typeof told === 'number' && told >= 0) return told
  const [from, to] = [body['started_at'], body['completed_at']].map((time) =>
    typeof time === 'string' ? parseTimestamp(time) : undefined,
  )
  return from && to ? Math.max(0, to.getTime() - from.getTime()) : null
}

function asText(value: Json | undefined): string | undefined {
  if (value === undefined || value === null) return undefined
  return typeof value === 'string' ? value : JSON.stringify(value)
}

export interface RunPage {
  /** -1 is all. */
  readonly limit: number
  readonly page: number
}

/** Newest first; an unknown workflow has an empty history (protocol section 2.8). `total` counts all runs. */
export async function listRuns(
  database: Kysely<RegistryTables>,
  workflowId: string,
  {limit, page}: RunPage,
): Promise<RunHistory> {
  const runs = database.selectFrom('registry_runs').where('workflow_id', '=', workflowId)
  const rows = await runs
    .select(['run_id', 'status', 'duration_ms', 'created_at'])
    .orderBy('seq', 'desc')
    .$if(limit >= 0, (query) => query.limit(limit).offset((Math.max(page, 1) - 1) * limit))
    .execute()
  const {total} = await runs.select((count) => count.fn.countAll().as('total')).executeTakeFirstOrThrow()
  const shown = rows.map(({created_at: at, ...run}) => ({...run, created_at: at.toISOString()}))
  return {workflow_id: workflowId, runs: shown, page, limit, total: Number(total)}
}
