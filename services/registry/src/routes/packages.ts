import {
  deleteReply,
  staticDryRun,
  versionList,
  workflowDetail,
  workflowList,
  workflowQuery,
} from '@atomctl/protocol/registry'
import {json} from '@atomctl/protocol/values'
import type {Kysely} from 'kysely'
import * as z from 'zod'
import type {App} from '../app.ts'
import {describeDryRun} from '../dry-run.ts'
import {describeEntry, parseDocument} from '../entries.ts'
import {listPackages, listVersions} from '../listing.ts'
import type {PackageStore} from '../packages.ts'
import {Refusal} from '../refusal.ts'
import type {RegistryTables} from '../schema.ts'

const byId = z.object({id: z.string()})
/** A body that is ignored but must be an object when there is one (protocol section 2.7). */
const optionalObject = z.record(z.string(), json).nullish()

export function registerPackageRoutes(app: App, packages: PackageStore, database: Kysely<RegistryTables>): void {
  const read = {access: 'reader'} as const

  app.get(
    '/workflows',
    {config: read, schema: {querystring: workflowQuery, response: {200: workflowList}}},
    ({query}) => listPackages(database, query),
  )

  app.get(
    '/packages/:name/versions',
    {config: read, schema: {params: z.object({name: z.string()}), response: {200: versionList}}},
    ({params}) => listVersions(database, params.name),
  )

  app.get(
    '/workflows/:id',
    {config: read, schema: {params: byId, response: {200: workflowDetail}}},
    async ({params}, reply) => {
      const row = await packages.find(params.id)
      reply.header('etag', `"${row.digest}"`)
      return {...describeEntry(row), wpk_content: parseDocument(row)}
    },
  )

  app.delete(
    '/workflows/:id',
    {config: {access: 'admin'}, schema: {params: byId, response: {200: deleteReply}}},
    async ({params, identity}) => {
      await packages.remove(params.id, identity?.name ?? '')
      return {message: `Workflow ${params.id} deleted`}
    },
  )

  app.post(
    '/workflows/:id/dry-run',
    {config: read, schema: {params: byId, body: optionalObject, response: {200: staticDryRun}}},
    async ({params, identity}) => {
      const row = await packages.find(params.id)
      return describeDryRun(row.id, parseDocument(row), identity?.name ?? '', new Date())
    },
  )

  // A signature made by the server would say that the server vouches for content it has not written.
  app.post('/workflows/:id/sign', {config: {access: 'publisher'}, schema: {params: byId}}, () => {
    const detail = 'This registry does not sign: packages are signed where the key is, before they are pushed'
    throw new Refusal(501, detail, {code: 'NOT_SUPPORTED', hint: 'atomctl sign FILE --key cosign.key'})
  })
}
