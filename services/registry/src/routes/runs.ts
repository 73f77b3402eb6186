import {runHistory} from '@atomctl/protocol/registry'
import {json} from '@atomctl/protocol/values'
import type {Kysely} from 'kysely'
import * as z from 'zod'
import type {App} from '../app.ts'
import {listRuns, recordRun} from '../runs.ts'
import type {RegistryTables} from '../schema.ts'

const byId = z.object({id: z.string()})
const integer = (fallback: number) => z.coerce.number().int().min(-1).max(1_000_000).default(fallback)
const runQuery = z.object({limit: integer(20), page: integer(1)})
const notice = z.record(z.string(), json)

export function registerRunRoutes(app: App, database: Kysely<RegistryTables>): void {
  app.get(
    '/workflows/:id/runs',
    {config: {access: 'reader'}, schema: {params: byId, querystring: runQuery, response: {200: runHistory}}},
    ({params, query}) => listRuns(database, params.id, query),
  )

  app.post(
    '/workflows/:id/runs/notify',
    {config: {access: 'publisher'}, schema: {params: byId, body: notice}},
    async ({params, body, identity}) => {
      const workflowId = params.id
      await recordRun(database, {workflowId, body, who: identity?.name ?? ''})
      return {message: 'Run recorded', workflow_id: workflowId, run_id: body['run_id'] ?? null, status: 'updated'}
    },
  )
}
