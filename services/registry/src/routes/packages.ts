import {deleteReply, versionList, workflowDetail, workflowList, workflowQuery} from '@atomctl/protocol/registry'
import type {Kysely} from 'kysely'
import * as z from 'zod'
import type {App} from '../app.ts'
import {describeEntry, parseDocument} from '../entries.ts'
import {listPackages, listVersions} from '../listing.ts'
import type {PackageStore} from '../packages.ts'
import type {RegistryTables} from '../schema.ts'

const byId = z.object({id: z.string()})

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
}
