import {sql, type Transaction} from 'kysely'
import type pg from 'pg'
import type {Logger} from '../options.ts'
import type {Hub} from './hub.ts'
import type {RuntimeTables} from './tables.ts'

const CHANNEL = 'atomctl_runtime'
const RECONNECT_MS = 1_000

/**
 * Several runtimes on one PostgreSQL tell each other which execution has new events, so that a reader at one follows
 * what another runs without delay. Only a hint: readers look for themselves every second as well.
 */
export class Notices {
  readonly #pool: pg.Pool
  readonly #hub: Hub
  readonly #logger: Logger
  #connection: pg.PoolClient | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(pool: pg.Pool, hub: Hub, logger: Logger) {
    this.#pool = pool
    this.#hub = hub
    this.#logger = logger
  }

  /** Delivered when the transaction commits. */
  async announce(transaction: Transaction<RuntimeTables>, executionId: string): Promise<void> {
    await sql`select pg_notify(${CHANNEL}, ${executionId})`.execute(transaction)
  }

  async listen(): Promise<void> {
    let connection: pg.PoolClient | undefined
    try {
      connection = await this.#pool.connect()
      await this.#begin(connection)
    } catch (error) {
      if (connection) this.#lose(connection, error)
      else this.#retry(error)
    }
  }

  async #begin(connection: pg.PoolClient): Promise<void> {
    // closed while it was connecting: the pool waits for all that it gave
    if (this.#isClosed) return connection.release(true)
    this.#connection = connection
    connection.on('error', (error) => this.#lose(connection, error))
    connection.on('notification', ({payload}) => payload !== undefined && this.#hub.changed(payload))
    await connection.query(`listen ${CHANNEL}`)
  }

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    // Destroyed, not returned: it would go on listening in the pool.
    this.#connection?.release(true)
    this.#connection = undefined
  }

  /** Told by its event, by a query that fails, or by both: it is given back, and followed by another, once. */
  #lose(connection: pg.PoolClient, error: unknown): void {
    if (this.#connection !== connection) return
    this.#connection = undefined
    connection.release(true)
    this.#retry(error)
  }

  #retry(error: unknown): void {
    if (this.#isClosed) return
    this.#logger.warn({err: error}, 'cannot hear what other runtimes announce')
    this.#timer = setTimeout(() => void this.listen(), RECONNECT_MS).unref()
  }
}
