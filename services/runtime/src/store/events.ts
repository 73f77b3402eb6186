import type {ExecutionEvent, LogEntry} from '@atomctl/protocol/runtime'
import type {Kysely} from 'kysely'
import type {EventRow, RuntimeTables} from './tables.ts'

/** Reads the numbered events of executions. */
export class EventStore {
  readonly #database: Kysely<RuntimeTables>

  constructor(database: Kysely<RuntimeTables>) {
    this.#database = database
  }

  async after(executionId: string, seq: number, limit: number): Promise<EventRow[]> {
    return this.#database
      .selectFrom('runtime_events')
      .selectAll()
      .where('execution_id', '=', executionId)
      .where('seq', '>', seq)
      .orderBy('seq')
      .limit(limit)
      .execute()
  }

  async logs(executionId: string, after: number, limit: number): Promise<LogEntry[]> {
    const rows = await this.#logRows(executionId).where('seq', '>', after).orderBy('seq').limit(limit).execute()
    return rows.map(logEntry)
  }

  /** The newest `limit` lines, oldest of them first. */
  async lastLogs(executionId: string, limit: number): Promise<LogEntry[]> {
    const rows = await this.#logRows(executionId).orderBy('seq', 'desc').limit(limit).execute()
    return rows.toReversed().map(logEntry)
  }

  #logRows(executionId: string) {
    return this.#database
      .selectFrom('runtime_events')
      .selectAll()
      .where('execution_id', '=', executionId)
      .where('kind', '=', 'log')
  }
}

/** The event as the stream sends it. */
export function streamedEvent(row: EventRow): ExecutionEvent {
  const id = String(row.seq)
  if (row.kind === 'log') return {type: 'log', id, log: logEntry(row)}
  const body: unknown = JSON.parse(row.body)
  return (
    row.kind === 'step' ? {type: 'step', id, step: body} : {type: 'status', id, execution: body}
  ) as ExecutionEvent
}

/** A line of the `logs` array: the protocol's own lines bare, output with the name of its step in front. */
export function plainLine(entry: LogEntry): string {
  return entry.step === null ? entry.text : `[${entry.step}] ${entry.text}`
}

function logEntry(row: EventRow): LogEntry {
  return {
    seq: row.seq,
    time: row.time.toISOString(),
    step: row.step,
    stream: (row.stream ?? 'system') as LogEntry['stream'],
    text: row.body,
  }
}
