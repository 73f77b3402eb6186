import pg from 'pg'

const INTERVAL_MS = 2_000
/** A server that does not answer `select 1` for so long is not reached over the connections that are open. */
const SILENCE_MS = 6_000

/**
 * A network that swallows packets tells nobody: a query over it would wait for its answer a quarter of an hour, until the
 * kernel gives up. So one connection asks all the time, and when it gets no answer every connection is cut: what waits on
 * them fails, and is tried again on new ones. Returns what stops it.
 */
export function watchConnections(pool: pg.Pool, databaseUrl: string): () => void {
  const open = new Set<pg.PoolClient>()
  pool.on('connect', (client) => open.add(client))
  pool.on('remove', (client) => open.delete(client))
  let probe: pg.Client | undefined
  let isStopped = false
  const hangUpAll = (): void => {
    for (const client of open) hangUp(client)
  }
  const look = async (): Promise<void> => {
    const asked = (probe ??= await connect(databaseUrl))
    if (!(await isSilent(asked.query('select 1')))) return
    hangUp(asked)
    throw new Error('the database does not answer')
  }
  const giveUp = (error: {code?: unknown}): void => {
    probe = undefined
    // A server that answers with an SQLSTATE is reached: it may only have no connection to spare.
    if (typeof error.code !== 'string' || error.code.length !== 5) hangUpAll()
  }
  const timer = setTimeout(() => {
    void look()
      .catch(giveUp)
      .then(() => isStopped || timer.refresh())
  }, INTERVAL_MS).unref()
  return () => {
    isStopped = true
    clearTimeout(timer)
    if (probe) hangUp(probe)
  }
}

async function connect(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString,
    connectionTimeoutMillis: SILENCE_MS,
    application_name: 'atomctl watchdog',
  })
  client.on('error', () => {})
  await client.connect()
  return client
}

/** Throws what the question throws. */
async function isSilent(answer: Promise<unknown>): Promise<boolean> {
  const {promise, resolve, reject} = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(true), SILENCE_MS).unref()
  answer.then(() => resolve(false), reject)
  return promise.finally(() => clearTimeout(timer))
}

/** What waits for an answer on the connection fails at once. */
export function hangUp(client: pg.ClientBase): void {
  ;(client as unknown as {connection: {stream: {destroy(): void}}}).connection.stream.destroy()
}
