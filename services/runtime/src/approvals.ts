import type {Approval, ApproveRequest} from '@atomctl/protocol/runtime'
import {checkApprover, checkExpiry, withApproval, withRejection} from './decisions.ts'
import type {Executor} from './executor.ts'
import type {Identity} from './identity.ts'
import type {Logger} from './options.ts'
import {refuse} from './refusal.ts'
import type {ExecutionStore} from './store/executions.ts'
import {isWaiting} from './store/progress.ts'
import type {ExecutionRow} from './store/tables.ts'
import {approvalView} from './store/views.ts'

/** Other processes store executions too, so this one looks at least that often. */
const LONGEST_SLEEP_MS = 10_000

export interface ApprovalsOptions {
  readonly executions: ExecutionStore
  readonly executor: Executor
  readonly logger: Logger
  /** Who asks for an execution may approve it. */
  readonly singleUser: boolean
}

/**
 * Executions that wait for people. One that waits is a row and nothing else: it takes no turn in the queue, and the
 * engine hears of it when the last approval is written. So nothing is lost when a process dies, at any moment.
 */
export class Approvals {
  readonly #options: ApprovalsOptions
  readonly #stopped = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #sweeping: Promise<void> = Promise.resolve()

  constructor(options: ApprovalsOptions) {
    this.#options = options
  }

  get selfApproval(): boolean {
    return this.#options.singleUser
  }

  async start(): Promise<void> {
    await this.#sweep()
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    clearTimeout(this.#timer)
    await this.#sweeping
  }

  /** An execution began to wait: its approval may expire before the next look. */
  wake(): void {
    clearTimeout(this.#timer)
    if (!this.#stopped.signal.aborted) this.#sweeping = this.#sweeping.then(() => this.#sweep())
  }

  /** Starts the execution with the last approval. Throws 403 and 409. */
  async approve(id: string, by: Identity, request: ApproveRequest): Promise<ExecutionRow> {
    const {executor} = this.#options
    const reason = request.reason || null
    const said = `Approved by ${by.name}${reason === null ? '' : `: ${reason}`}`
    const row = await executor.openProgress(id).decide({by, action: 'approved', reason}, said, (locked) => {
      return withApproval(this.#open(locked, by, request), {by: by.name, at: new Date().toISOString(), reason})
    })
    if (row.approval_state === 'approved') await executor.start(id)
    return row
  }

  /** Ends the execution. Throws 403 and 409. */
  async reject(id: string, by: Identity, request: ApproveRequest & {reason: string}): Promise<ExecutionRow> {
    const {reason} = request
    const said = `Rejected by ${by.name}: ${reason}`
    return this.#options.executor.openProgress(id).decide({by, action: 'rejected', reason}, said, (locked) => {
      return withRejection(this.#open(locked, by, request, true), {by: by.name, at: new Date().toISOString(), reason})
    })
  }

  /** The approval of a locked execution, if this person may decide about it now. */
  #open(row: ExecutionRow, by: Identity, request: ApproveRequest, isRejection = false): Approval {
    const approval = approvalView(row)
    if (!approval || !isWaiting(row)) throw notWaiting(row)
    checkExpiry(row.approval_expires_at ?? new Date(approval.expires_at), new Date())
    checkDigests(approval, row, request)
    if (!isRejection) checkApprover(by.name, {requestedBy: row.requested_by, selfApproval: this.#options.singleUser})
    return approval
  }

  async #sweep(): Promise<void> {
    const {executions, executor, logger} = this.#options
    let next: Date | undefined
    try {
      const now = new Date()
      for (const id of await executions.expired(now)) await executor.openProgress(id).expire(now)
      next = await executions.nextExpiry()
    } catch (error) {
      logger.warn({err: error}, 'approvals could not be looked after')
    }
    if (this.#stopped.signal.aborted) return
    const sleep = next ? Math.max(next.getTime() - Date.now(), 0) : LONGEST_SLEEP_MS
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.wake(), Math.min(sleep + 1, LONGEST_SLEEP_MS)).unref()
  }
}

/** What is approved is what was stored, and what the approver looked at. */
function checkDigests(approval: Approval, row: ExecutionRow, request: ApproveRequest): void {
  for (const name of ['document_digest', 'parameters_digest'] as const) {
    const seen = request[name] ?? approval[name]
    if (approval[name] === row[name] && seen === row[name]) continue
    const what = name === 'document_digest' ? 'document' : 'parameters'
    throw refuse(
      409,
      'CONFLICT',
      `The ${what} to approve differ: the execution has ${row[name]}, not ${seen}`,
      `atomctl status ${row.id}`,
    )
  }
}

function notWaiting({status, approval_state: state}: ExecutionRow): Error {
  if (state === null) return refuse(409, 'CONFLICT', `The execution needs no approval: it is ${status}`)
  return refuse(409, 'CONFLICT', `The execution waits for no approval: it is ${status} (${state})`)
}
