import type {LogEntry} from '@atomctl/protocol/runtime'
import type {Kysely, Transaction} from 'kysely'
import type {Hub} from './hub.ts'
import type {Notices} from './notices.ts'
import {patiently} from './patience.ts'
import {isUniqueViolation} from './violations.ts'
import {storable, type EventRow, type RuntimeTables} from './tables.ts'

const FLUSH_MS = 20
const ROWS_PER_INSERT = 500
const MOST_ATTEMPTS = 5

export type NewEvent = Omit<EventRow, 'execution_id' | 'seq'>
export type Transition = (transaction: Transaction<RuntimeTables>) => Promise<NewEvent[]>

export interface RecorderOptions {
  readonly database: Kysely<RuntimeTables>
  /** Readers in this process. */
  readonly hub: Hub
  /** Readers in others. */
  readonly notices: Notices | undefined
  /** Waits for a database that cannot be reached until this aborts; without it, such an error is the caller's. */
  readonly patience?: AbortSignal | undefined
}

/**
 * Writes the numbered events of one execution. Log lines are gathered for a few milliseconds; a transition takes the
 * gathered lines with it in its transaction, so the order of events is the order in which things happened.
 */
export class Recorder {
  readonly #database: Kysely<RuntimeTables>
  readonly #hub: Hub
  readonly #notices: Notices | undefined
  readonly #executionId: string
  readonly #patience: AbortSignal | undefined
  #seq: number | undefined
  #lines: NewEvent[] = []
  #timer: NodeJS.Timeout | undefined
  #tail: Promise<unknown> = Promise.resolve()

  constructor({database, hub, notices, patience}: RecorderOptions, executionId: string) {
    this.#patience = patience
    this.#database = database
    this.#hub = hub
    this.#notices = notices
    this.#executionId = executionId
  }

  log(step: string | null, stream: LogEntry['stream'], text: string): void {
    this.#lines.push({kind: 'log', time: new Date(), step, stream, body: storable(text)})
    // A line that cannot be written must not end the execution: the next transition reports a dead database.
    this.#timer ??= setTimeout(() => void this.change(() => Promise.resolve([])).catch(() => {}), FLUSH_MS)
  }

  /** Resolves when every line logged so far is written. */
  async flush(): Promise<void> {
    if (this.#lines.length > 0) await this.change(() => Promise.resolve([]))
    else await this.#tail
  }

  /** One transaction: the gathered lines, the transition, and the events it answers. */
  change(transition: Transition): Promise<void> {
    const result = this.#tail.then(() => this.#write(transition))
    this.#tail = result.catch(() => {})
    return result
  }

  async #write(transition: Transition): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const lines = this.#lines
    this.#lines = []
    const sent: EventRow[][] = []
    const write = async (isRepeated: boolean): Promise<void> => {
      if (isRepeated && (await this.#isWritten(sent.at(-1)))) return
      await this.#append(lines, transition, sent)
    }
    await (this.#patience
      ? patiently((isRepeated) => this.#inTurn(() => write(isRepeated)), this.#patience)
      : this.#inTurn(() => write(false)))
    this.#hub.changed(this.#executionId)
  }

  /** Somebody else may write a decision about this execution meanwhile, and with it take the next number. */
  async #inTurn(write: () => Promise<void>): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await write()
      } catch (error) {
        this.#seq = undefined
        if (!isUniqueViolation(error) || attempt === MOST_ATTEMPTS) throw error
      }
    }
  }

  async #append(lines: readonly NewEvent[], transition: Transition, sent: EventRow[][]): Promise<void> {
    let seq = this.#seq ?? (await this.#lastSeq())
    await this.#database.transaction().execute(async (transaction) => {
      const events = [...lines, ...(await transition(transaction))]
      const rows = events.map((event) => ({...event, execution_id: this.#executionId, seq: ++seq}))
      for (let start = 0; start < rows.length; start += ROWS_PER_INSERT) {
        await transaction
          .insertInto('runtime_events')
          .values(rows.slice(start, start + ROWS_PER_INSERT))
          .execute()
      }
      await this.#notices?.announce(transaction, this.#executionId)
      sent.push(rows)
    })
    this.#seq = seq
  }

  /** Whether a transaction took effect whose answer was lost: every transition that changes anything has an event. */
  async #isWritten(rows: readonly EventRow[] | undefined): Promise<boolean> {
    const first = rows?.[0]
    if (!first) return false
    const stored = await this.#database
      .selectFrom('runtime_events')
      .selectAll()
      .where('execution_id', '=', this.#executionId)
      .where('seq', '=', first.seq)
      .executeTakeFirst()
    return stored?.body === first.body && stored.time.getTime() === first.time.getTime()
  }

  async #lastSeq(): Promise<number> {
    const row = await this.#database
      .selectFrom('runtime_events')
      .select((select) => select.fn.max('seq').as('seq'))
      .where('execution_id', '=', this.#executionId)
      .executeTakeFirst()
    return row?.seq ?? 0
  }
}
