import {type Discovery} from '@atomctl/protocol/discovery'
import {
  deleteReply,
  type RunHistory,
  runHistory,
  type StaticDryRun,
  staticDryRun,
  type WorkflowQuery,
} from '@atomctl/protocol/registry'
import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {nameMissing} from '../errors.ts'
import {
  type Capability,
  type Clock,
  createService,
  encodeSegment,
  type HttpClient,
  readJson,
  type ServiceHealth,
  systemClock,
  type Target,
} from '../http/index.ts'
import {type Download, downloadPackage, fetchBundle, fetchWorkflow, type StoredWorkflow} from './fetch.ts'
import {listWorkflows, type WorkflowPage} from './list.ts'
import {pushPackage, type PushedPackage} from './push.ts'
import type {PackageUpload} from './upload.ts'
import {listVersions, type PackageVersion} from './versions.ts'

/**
 * A workflow registry: the original ATOM Cloud service or one that announces more. Extras are used only when
 * announced. Every method throws AtomError; ids are checked before anything is sent.
 */
export interface RegistryClient {
  discover(): Promise<Discovery | undefined>
  supports(capability: Capability): Promise<boolean>
  health(): Promise<ServiceHealth>
  list(query: WorkflowQuery, options?: {all?: boolean}): Promise<WorkflowPage>
  get(id: string): Promise<StoredWorkflow>
  download(id: string): Promise<Download | undefined>
  bundle(id: string): Promise<object | undefined>
  versions(name: string): Promise<PackageVersion[]>
  push(verified: VerifiedDocument, upload: PackageUpload): Promise<PushedPackage>
  delete(id: string): Promise<void>
  /** The registry's static check of what it holds; nothing runs. */
  dryRun(id: string): Promise<StaticDryRun>
  runs(id: string, page?: {limit?: number; page?: number}): Promise<RunHistory>
}

export interface RegistryOptions {
  readonly http: HttpClient
  readonly target: Target
  readonly clock?: Clock
}

export function createRegistryClient({http, target, clock = systemClock}: RegistryOptions): RegistryClient {
  const service = createService('registry', http, target)
  const workflow = (id: string): string => `/workflows/${encodeSegment(id)}`
  return {
    discover: service.discover,
    supports: service.supports,
    health: service.health,
    list: (query, {all = false} = {}) => listWorkflows(service, query, all),
    get: (id) => fetchWorkflow(service, id).catch(nameMissing({workflow_id: id})),
    download: (id) => downloadPackage(service, id),
    bundle: (id) => fetchBundle(service, id),
    versions: (name) => listVersions(service, name),
    push: (verified, upload) => pushPackage(service, verified, upload, clock),
    async delete(id) {
      const deleted = service.request({method: 'DELETE', path: workflow(id)})
      readJson(await deleted.catch(nameMissing({workflow_id: id})), deleteReply)
    },
    async dryRun(id) {
      // Nothing is stored by it, so it may be sent again.
      return readJson(
        await service.request({method: 'POST', path: `${workflow(id)}/dry-run`, idempotent: true}),
        staticDryRun,
      )
    },
    async runs(id, query = {}) {
      return readJson(await service.request({method: 'GET', path: `${workflow(id)}/runs`, query}), runHistory)
    },
  }
}
