import type {Discovery} from '@atomctl/protocol/discovery'
import {
  type CancelReply,
  cancelReply,
  type Execution,
  type ExecutionEvent,
  type ExecutionQuery,
  rollbackReply,
} from '@atomctl/protocol/runtime'
import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {
  type Capability,
  type Clock,
  createService,
  encodeSegment,
  type HttpClient,
  notSupported,
  readJson,
  type Service,
  type ServiceHealth,
  systemClock,
  type Target,
} from '../http/index.ts'
import {executePackage, type ExecuteRequest, type StartedExecution} from './execute.ts'
import {
  type ExecutionPage,
  executionPath,
  fetchExecution,
  fetchLogs,
  listExecutions,
  type LogLine,
} from './executions.ts'
import {followExecution, type FollowOptions} from './follow.ts'

/**
 * A runtime agent: the original ATOM Cloud service or one that announces more. Extras are used only when announced.
 * Every method throws AtomError; ids are checked before anything is sent.
 */
export interface RuntimeClient {
  discover(): Promise<Discovery | undefined>
  supports(capability: Capability): Promise<boolean>
  health(): Promise<ServiceHealth>
  execute(verified: VerifiedDocument, request: ExecuteRequest): Promise<StartedExecution>
  status(id: string): Promise<Execution>
  list(query: Partial<ExecutionQuery>, options?: {all?: boolean}): Promise<ExecutionPage>
  /** Lines after `after`, a `seq`. */
  logs(id: string, after?: number): Promise<LogLine[]>
  /** Ends after the event with the final status. */
  follow(id: string, options?: FollowOptions): AsyncIterable<ExecutionEvent>
  cancel(id: string): Promise<CancelReply>
  rollback(id: string): Promise<void>
}

export interface RuntimeOptions {
  readonly http: HttpClient
  readonly target: Target
  readonly clock?: Clock
}

export function createRuntimeClient({http, target, clock = systemClock}: RuntimeOptions): RuntimeClient {
  const service = createService('runtime', http, target)
  return {
    discover: service.discover,
    supports: service.supports,
    health: service.health,
    execute: (verified, request) => executePackage(service, verified, request),
    status: (id) => fetchExecution(service, id),
    list: (query, {all = false} = {}) => listExecutions(service, query, all),
    logs: (id, after) => fetchLogs(service, id, after),
    follow: (id, options = {}) => followExecution(service, clock, id, options),
    cancel: (id) => cancelExecution(service, id),
    rollback: (id) => rollbackExecution(service, id),
  }
}

/** Cancelling twice is cancelling once, so a lost answer is asked for again. */
async function cancelExecution(service: Service, id: string): Promise<CancelReply> {
  const path = `${executionPath(id)}/cancel`
  if (!(await service.supports('cancel'))) {
    throw notSupported(service, 'cannot cancel executions', `it ends by itself: atomctl status ${id} --watch`)
  }
  return readJson(await service.request({method: 'POST', path, idempotent: true}), cancelReply)
}

/** An original runtime answers "Rollback started" and does nothing (protocol section 3.5), so it is not asked. */
async function rollbackExecution(service: Service, id: string): Promise<void> {
  const path = `/rollback/${encodeSegment(id)}`
  if ((await service.discover()) === undefined) {
    throw notSupported(
      service,
      'accepts rollbacks and performs none',
      'undo the steps by hand, or use a runtime of atomctl',
    )
  }
  readJson(await service.request({method: 'POST', path}), rollbackReply)
}
