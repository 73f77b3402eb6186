import {DBOS} from '@dbos-inc/dbos-sdk'
import type pg from 'pg'
import type {Logger} from '../options.ts'

/** 'ATOM': the first half of this service's advisory locks. */
const LOCK_SPACE = 0x41544f4d
const LOOK_MS = 1_000

export interface PeersOptions {
  readonly pool: pg.Pool
  readonly executorId: string
  readonly logger: Logger
}

/**
 * Several runtimes on one PostgreSQL. Each holds a session lock on its own id for as long as it lives; PostgreSQL lets
 * go of it when the connection dies. Who gets the lock of another adopts that one's executions. Should a runtime only
 * have lost its connection, the engine's own ownership marks keep it from recording anything twice.
 */
export class Peers {
  readonly #options: PeersOptions
  #connection: pg.PoolClient | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> = Promise.resolve()

  constructor(options: PeersOptions) {
    this.#options = options
  }

  /** Before the engine starts, so that nobody takes this process for dead. */
  async join(): Promise<void> {
    const connection = await this.#options.pool.connect()
    this.#connection = connection
    connection.on('error', (error) => this.#lose(connection, error))
    await connection.query('select pg_advisory_lock($1, hashtext($2))', [LOCK_SPACE, this.#options.executorId])
  }

  watch(): void {
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look()).catch((error: Error) => this.#report(error))
    }, LOOK_MS)
    this.#timer.unref()
  }

  async leave(): Promise<void> {
    clearInterval(this.#timer)
    await this.#looking
    const connection = this.#connection
    this.#connection = undefined
    // Destroyed, not returned: the lock must go with its session.
    connection?.release(true)
  }

  async #look(): Promise<void> {
    if (!this.#connection) return this.join()
    const {rows} = await this.#connection.query<{executor_id: string}>(
      `select distinct executor_id from dbos.workflow_status where status = 'PENDING' and executor_id <> $1`,
      [this.#options.executorId],
    )
    for (const {executor_id: id} of rows) await this.#adopt(this.#connection, id)
  }

  async #adopt(connection: pg.PoolClient, executorId: string): Promise<void> {
    const lock = [LOCK_SPACE, executorId]
    const {rows} = await connection.query<{dead: boolean}>(
      'select pg_try_advisory_lock($1, hashtext($2)) as dead',
      lock,
    )
    if (!rows[0]?.dead) return
    try {
      const orphans = await DBOS.listWorkflows({status: 'PENDING', executorId, loadInput: false, loadOutput: false})
      if (orphans.length > 0) await DBOS.resumeWorkflows(orphans.map(({workflowID}) => workflowID))
      this.#options.logger.info({executorId, count: orphans.length}, 'adopted the executions of a dead runtime')
    } finally {
      await connection.query('select pg_advisory_unlock($1, hashtext($2))', lock)
    }
  }

  #lose(connection: pg.PoolClient, error: Error): void {
    if (this.#connection === connection) this.#connection = undefined
    connection.release(error)
    this.#report(error)
  }

  #report(error: Error): void {
    this.#options.logger.warn({err: error}, 'cannot look after other runtimes')
  }
}
