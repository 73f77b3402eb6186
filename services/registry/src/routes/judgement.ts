import {staticDryRun} from '@atomctl/protocol/registry'
import {json} from '@atomctl/protocol/values'
import * as z from 'zod'
import type {App} from '../app.ts'
import {describeDryRun} from '../dry-run.ts'
import {parseDocument} from '../entries.ts'
import type {PackageStore} from '../packages.ts'
import {Refusal} from '../refusal.ts'

const byId = z.object({id: z.string()})
/** A body that is ignored but must be an object when there is one (protocol section 2.7). */
const optionalObject = z.record(z.string(), json).nullish()

/** What a server can say about a package without running it. */
export function registerJudgementRoutes(app: App, packages: PackageStore): void {
  app.post(
    '/workflows/:id/dry-run',
    {config: {access: 'reader'}, schema: {params: byId, body: optionalObject, response: {200: staticDryRun}}},
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
