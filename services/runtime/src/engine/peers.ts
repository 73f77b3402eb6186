import {DirectSession} from '@atomctl/storage'
import type pg from 'pg'
import type {Logger} from '../options.ts'
import {isGone} from './process-name.ts'
import {waitFor} from './timing.ts'

const LOOK_MS = 1_000
/** Of a process that was seen to be gone. */
const GONE_MS = 1.5 * LOOK_MS
/** What a runtime has to do itself before its lease ends: stop its commands, which takes some seconds. */
const TRUST = 2 / 3
/** Looks between two searches for executions that this process has and does not run. */
const LOOKS_PER_SEARCH = 3
/** The queue from which the engine takes what is to be carried on. */
const QUEUE = '_dbos_internal_queue'

export interface PeersOptions {
  readonly pool: pg.Pool
  readonly executorId: string
  /** A runtime that shows no sign of life for so long has lost its executions. */
  readonly leaseMs: number
  readonly logger: Logger
  isRunning(runId: string): boolean
  /** This process may have lost its executions to others, and must stop what it does for them. */
  onFenced(): void
}

interface Sign {
  readonly beat: string
  /** When it was first seen, on this process's own monotonic clock: nobody's wall clock counts. */
  readonly since: number
}

/**
 * Several runtimes on one PostgreSQL. Each counts its row up every second; one whose count stands still for a lease, or
 * for a look when it ran on this machine and is gone, is dead to the others, which take its executions over. One that
 * cannot write its own count stops its commands before the others may begin them, and one that slept through it finds
 * out before its next step: it owns nothing any more.
 */
export class Peers {
  readonly #options: PeersOptions
  readonly #session: DirectSession
  readonly #signs = new Map<string, Sign>()
  readonly #stopped = new AbortController()
  #watching: Promise<void> = Promise.resolve()
  #guard: NodeJS.Timeout | undefined
  #trustedAt = 0
  #isFenced = false
  #suspects: ReadonlySet<string> = new Set()

  constructor(options: PeersOptions) {
    this.#options = options
    this.#session = new DirectSession(options.pool, options.leaseMs * TRUST)
  }

  /** Before the engine starts, so that nobody takes this process for dead. */
  async join(): Promise<void> {
    await this.#beat()
  }

  watch(): void {
    this.#watching = this.#lookAgain()
    this.#guard = setInterval(() => this.#checkTrust(), LOOK_MS / 4).unref()
  }

  /** Whether this process still has the run, as the database knows it now. */
  async owns(runId: string): Promise<boolean> {
    const {pool, executorId} = this.#options
    const {rowCount} = await pool.query(
      `select 1 from dbos.workflow_status where workflow_uuid = $1 and executor_id = $2 and status = 'PENDING'`,
      [runId, executorId],
    )
    return rowCount === 1 && !this.#isFenced
  }

  /** After the engine stopped: what is left may be taken over at once. */
  async leave(): Promise<void> {
    clearInterval(this.#guard)
    this.#stopped.abort()
    await this.#watching
    // Where the database is out of reach, the lease ends by itself.
    if (!this.#session.isOpen) return
    await this.#session
      .query('delete from runtime_peers where executor_id = $1', [this.#options.executorId])
      .catch(() => {})
    this.#session.close()
  }

  async #lookAgain(): Promise<void> {
    for (let looks = 1; !this.#stopped.signal.aborted; looks += 1) {
      await this.#look(looks).catch((error: Error) => {
        this.#options.logger.warn({err: error}, 'cannot look after other runtimes')
      })
      await waitFor(LOOK_MS, this.#stopped.signal)
    }
  }

  async #look(looks: number): Promise<void> {
    await this.#beat()
    for (const id of await this.#findDead()) await this.#adopt(id)
    if (looks % LOOKS_PER_SEARCH === 0) await this.#findStranded()
  }

  async #beat(): Promise<void> {
    const {executorId} = this.#options
    const asked = performance.now()
    const {rows} = await this.#session.query<{beat: string}>(
      `insert into runtime_peers (executor_id, beat) values ($1, 1)
       on conflict (executor_id) do update set beat = runtime_peers.beat + 1 returning beat`,
      [executorId],
    )
    // A count that begins anew: somebody took this process for dead and removed it.
    if (rows[0]?.beat === '1' && this.#trustedAt > 0) this.#fence()
    this.#checkTrust()
    this.#trustedAt = asked
    this.#isFenced = false
  }

  #checkTrust(): void {
    if (this.#trustedAt > 0 && performance.now() - this.#trustedAt > this.#options.leaseMs * TRUST) this.#fence()
  }

  #fence(): void {
    if (this.#isFenced) return
    this.#isFenced = true
    this.#options.logger.warn({}, 'out of touch with the database for too long: others may carry on what ran here')
    this.#options.onFenced()
  }

  /** Runtimes that have executions, or a count, and show no sign of life. */
  async #findDead(): Promise<string[]> {
    const {executorId, leaseMs} = this.#options
    const {rows} = await this.#session.query<{executor_id: string; beat: string | null}>(
      `select executor_id, beat from runtime_peers where executor_id <> $1
       union select distinct w.executor_id, p.beat from dbos.workflow_status w left join runtime_peers p using (executor_id)
       where w.status = 'PENDING' and w.executor_id <> $1`,
      [executorId],
    )
    const now = performance.now()
    for (const id of this.#signs.keys()) if (!rows.some((row) => row.executor_id === id)) this.#signs.delete(id)
    return rows.flatMap(({executor_id: id, beat}) => {
      if (beat === null) return [id]
      const sign = this.#signs.get(id)
      if (sign?.beat !== beat) this.#signs.set(id, {beat, since: now})
      if (sign?.beat !== beat) return []
      // One look more than needed: what it sent before it died, the database may still be doing.
      return now - sign.since > (isGone(id) ? GONE_MS : leaseMs) ? [id] : []
    })
  }

  /** Of several that try, one removes the count, and with it takes the executions. */
  async #adopt(id: string): Promise<void> {
    const {logger} = this.#options
    const {rowCount} = await this.#session.query(
      `with gone as (delete from runtime_peers where executor_id = $1 and beat = $2 returning 1)
       update dbos.workflow_status set ${CARRY_ON} where status = 'PENDING' and executor_id = $1
       and (exists (select 1 from gone) or not exists (select 1 from runtime_peers where executor_id = $1))`,
      [id, this.#signs.get(id)?.beat ?? null],
    )
    this.#signs.delete(id)
    if (rowCount) logger.info({executorId: id, count: rowCount}, 'adopted the executions of a dead runtime')
  }

  /** Executions that are this process's to the database and that it does not run: given up when it was fenced. */
  async #findStranded(): Promise<void> {
    const {executorId, isRunning} = this.#options
    const {rows} = await this.#session.query<{id: string}>(
      `select workflow_uuid as id from dbos.workflow_status where status = 'PENDING' and executor_id = $1`,
      [executorId],
    )
    const idle = rows.map(({id}) => id).filter((id) => !isRunning(id))
    // One that was only just taken has not begun yet; at the second look it has.
    const stranded = idle.filter((id) => this.#suspects.has(id))
    this.#suspects = new Set(idle)
    if (stranded.length === 0) return
    await this.#session.query(
      `update dbos.workflow_status set ${CARRY_ON}
       where status = 'PENDING' and executor_id = $1 and workflow_uuid = any($2)`,
      [executorId, stranded],
    )
  }
}

/** As the engine's own recovery does it: without its mark of ownership, nothing of the earlier run is recorded any more. */
const CARRY_ON = `status = 'ENQUEUED', owner_xid = null, started_at_epoch_ms = null, recovery_attempts = 0,
  queue_name = coalesce(queue_name, '${QUEUE}'), updated_at = (extract(epoch from now()) * 1000)::bigint`
