import {pushReply} from '@atomctl/protocol/registry'
import type {TrustPolicy} from '@atomctl/wpk/trust'
import {admitPackage} from '../admission.ts'
import type {App} from '../app.ts'
import type {PackageStore} from '../packages.ts'
import {Refusal} from '../refusal.ts'
import {withUpload, type UploadOptions} from '../upload.ts'

export interface PushOptions extends UploadOptions {
  readonly publicUrls: () => readonly string[]
  readonly trustPolicy: () => Promise<TrustPolicy>
}

export function registerPushRoute(app: App, packages: PackageStore, options: PushOptions): void {
  app.post('/workflows', {config: {access: 'publisher'}, schema: {response: {200: pushReply}}}, (request) =>
    withUpload(request, options, async (upload) => {
      const admitted = await admitPackage(upload, {policy: await readPolicy(options), urls: options.publicUrls()})
      const created = await packages.register(admitted, request.identity?.name ?? '')
      const {document} = admitted.verified
      const message = created ? `Workflow ${document.id} registered` : `Workflow ${document.id} was registered already`
      return {message, workflow_id: document.id, status: 'registered', digest: upload.file.digest, created}
    }),
  )
}

/** A server whose policy cannot be read accepts nothing; the sender can do nothing about it. */
async function readPolicy({trustPolicy}: PushOptions): Promise<TrustPolicy> {
  return trustPolicy().catch((cause: unknown) => {
    throw new Refusal(503, 'The trust policy of this registry cannot be read', {code: 'TRUST_POLICY_INVALID', cause})
  })
}
