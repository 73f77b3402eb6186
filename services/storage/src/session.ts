import pg from 'pg'
import {hangUp} from './watchdog.ts'

/**
 * A connection beside the pool, for what must not wait in line behind everything else: signs of life. A process with much
 * to do would be taken for dead, its work would be given to another, and that one would have even more to do.
 */
export class DirectSession {
  readonly #pool: pg.Pool
  readonly #patienceMs: number
  #client: pg.Client | undefined

  /** Connects as `pool` does; an answer that takes longer than `patienceMs` is a lost connection. */
  constructor(pool: pg.Pool, patienceMs: number) {
    this.#pool = pool
    this.#patienceMs = patienceMs
  }

  get isOpen(): boolean {
    return this.#client !== undefined
  }

  /** Connects anew after a failure. */
  async query<T extends pg.QueryResultRow>(text: string, values: readonly unknown[]): Promise<pg.QueryResult<T>> {
    const client = (this.#client ??= await this.#connect())
    const timer = setTimeout(() => hangUp(client), this.#patienceMs).unref()
    try {
      return await client.query<T>(text, [...values])
    } catch (error) {
      this.close()
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  close(): void {
    if (this.#client) hangUp(this.#client)
    this.#client = undefined
  }

  async #connect(): Promise<pg.Client> {
    const {connectionString} = this.#pool.options
    const client = new pg.Client({
      ...(connectionString === undefined ? {} : {connectionString}),
      connectionTimeoutMillis: this.#patienceMs,
      application_name: 'atomctl peers',
    })
    client.on('error', () => {}) // the query that fails tells
    await client.connect()
    return client
  }
}
