import type {Discovery} from '@atomctl/protocol/discovery'
import type {
  CancelReply,
  DecisionReply,
  Execution,
  ExecutionEvent,
  ExecutionQuery,
  ExecutionStarted,
} from '@atomctl/protocol/runtime'
import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {nameMissing} from '../errors.ts'
import {
  type Capability,
  type Clock,
  createService,
  type HttpClient,
  type ServiceHealth,
  systemClock,
  type Target,
} from '../http/index.ts'
import {cancelExecution, decideExecution, retryExecution, rollbackExecution, type SeenDigests} from './control.ts'
import {executePackage, type ExecuteRequest, type StartedExecution} from './execute.ts'
import {type ExecutionPage, fetchExecution, fetchLogs, listExecutions, type LogLine} from './executions.ts'
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
  /** `seen` is what the approver looked at; other digests are refused. */
  approve(id: string, seen: SeenDigests & {reason?: string | undefined}): Promise<DecisionReply>
  reject(id: string, seen: SeenDigests & {reason: string}): Promise<DecisionReply>
  rollback(id: string): Promise<void>
  /** From the named handler, or from the first that did not complete. */
  retry(id: string, from?: string): Promise<ExecutionStarted>
}

export interface RuntimeOptions {
  readonly http: HttpClient
  readonly target: Target
  readonly clock?: Clock
}

export function createRuntimeClient({http, target, clock = systemClock}: RuntimeOptions): RuntimeClient {
  const service = createService('runtime', http, target)
  const about = <T>(id: string, answer: Promise<T>): Promise<T> => answer.catch(nameMissing({execution_id: id}))
  return {
    discover: service.discover,
    supports: service.supports,
    health: service.health,
    execute: (verified, request) => executePackage(service, verified, request),
    status: (id) => about(id, fetchExecution(service, id)),
    list: (query, {all = false} = {}) => listExecutions(service, query, all),
    logs: (id, after) => about(id, fetchLogs(service, id, after)),
    follow: (id, options = {}) => followExecution(service, clock, id, options),
    cancel: (id) => about(id, cancelExecution(service, id)),
    approve: (id, seen) => about(id, decideExecution(service, id, 'approve', seen)),
    reject: (id, seen) => about(id, decideExecution(service, id, 'reject', seen)),
    rollback: (id) => about(id, rollbackExecution(service, id)),
    retry: (id, from) => about(id, retryExecution(service, id, from)),
  }
}
