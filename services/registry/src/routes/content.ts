import {Readable} from 'node:stream'
import {bundlesOf, MAX_SIGNATURES} from '@atomctl/wpk/signing'
import * as z from 'zod'
import type {App} from '../app.ts'
import {parseDocument} from '../entries.ts'
import type {PackageRow, PackageStore} from '../packages.ts'
import {Refusal} from '../refusal.ts'

const byId = z.object({id: z.string()})
const whichBundle = z.object({signature: z.coerce.number().int().min(1).max(MAX_SIGNATURES).optional()})
const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** The stored bytes, exactly as pushed, and the signature bundle that goes with them. */
export function registerContentRoutes(app: App, packages: PackageStore): void {
  const read = {access: 'reader'} as const

  app.get('/workflows/:id/content', {config: read, schema: {params: byId}}, async ({params, headers}, reply) => {
    const row = await packages.find(params.id)
    reply.headers({...describeDigest(row.digest), 'cache-control': 'no-cache'})
    if (matchesTag(headers['if-none-match'], row.digest)) return reply.code(304).send()
    reply.headers({'content-type': row.media_type, 'content-length': row.size})
    return reply.send(Readable.from(packages.readBytes(row), {objectMode: false}))
  })

  app.get(
    '/workflows/:id/bundle',
    {config: read, schema: {params: byId, querystring: whichBundle}},
    async ({params, query}, reply) => {
      const bundle = findBundle(await packages.find(params.id), query.signature)
      if (!bundle) throw new Refusal(404, `${params.id} carries no signature bundle`, {code: 'NOT_FOUND'})
      return reply.type(BUNDLE_MEDIA_TYPE).send(JSON.stringify(bundle))
    },
  )
}

/** ETag, and the digest in the forms of RFC 3230 and RFC 9530. */
function describeDigest(digest: string): Record<string, string> {
  const base64 = Buffer.from(digest.replace(/^sha256:/, ''), 'hex').toString('base64')
  return {etag: `"${digest}"`, digest: `sha-256=${base64}`, 'repr-digest': `sha-256=:${base64}:`}
}

/** RFC 9110 section 13.1.2: a list of tags compared weakly, or `*`. */
function matchesTag(header: string | undefined, digest: string): boolean {
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? []
  return tags.includes('*') || tags.includes(`"${digest}"`)
}

/** A signature inside the document by its number; else the detached bundle of an archive, else the first signature. */
function findBundle(row: PackageRow, number: number | undefined): object | undefined {
  if (row.bundle_json !== null && number === undefined) return JSON.parse(row.bundle_json) as object
  return bundlesOf(parseDocument(row))[(number ?? 1) - 1]
}
