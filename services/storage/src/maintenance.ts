import type pg from 'pg'

const INTERVAL_MS = 10_000
const CHECKPOINT_BYTES = 16 * 1024 * 1024
const CHECKPOINTS_PER_VACUUM = 8

/**
 * PGlite runs PostgreSQL as a single process: without checkpointer and autovacuum the write-ahead log and dead rows
 * would grow until the next start. Both are done here once enough was written. Returns what stops it.
 */
export function startMaintenance(pool: pg.Pool): () => void {
  let checkpoints = 0
  let done = 0
  const run = async () => {
    const {rows} = await pool.query<{written: string}>(`select pg_current_wal_lsn() - '0/0'::pg_lsn as written`)
    const written = Number(rows[0]?.written)
    if (written - done < CHECKPOINT_BYTES) return
    done = written
    checkpoints += 1
    await pool.query('checkpoint')
    if (checkpoints % CHECKPOINTS_PER_VACUUM === 0) await pool.query('vacuum analyze')
  }
  // A failure here repeats in the next query of a user, who gets to see it.
  const timer = setInterval(() => void run().catch(() => {}), INTERVAL_MS).unref()
  return () => clearInterval(timer)
}
