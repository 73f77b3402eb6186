import {hash} from 'node:crypto'
import {closeSync, fsyncSync, mkdirSync, openSync, writeSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {dirname, join, resolve} from 'node:path'
import {type Environment, homeOf} from '@atomctl/sdk/config'
import {writeFailure} from '@atomctl/sdk/files'

/** What an earlier run noted about a package that it has done. */
export interface JournalEntry {
  readonly id?: string | undefined
  readonly note?: string | undefined
  /** Begun and not known to have ended: how to find it again. Empty: it ended, and not well. */
  readonly pending?: string | undefined
  /** About to be begun, under this key: whether it was is not known until something else is noted. */
  readonly attempt?: string | undefined
}

/** Whether there is nothing left to do for a package. */
export function isDone({pending, attempt}: JournalEntry): boolean {
  return pending === undefined && attempt === undefined
}

/**
 * What a batch has done, one line each, written before the next package is begun: after a crash or Ctrl-C at most
 * what was under way is done again. A line that was cut off counts as not done.
 */
export class Journal implements Disposable {
  readonly path: string
  readonly #done: ReadonlyMap<string, JournalEntry>
  readonly #scope: string
  readonly #descriptor: number

  private constructor(path: string, scope: string, done: ReadonlyMap<string, JournalEntry>, descriptor: number) {
    this.path = path
    this.#scope = scope
    this.#done = done
    this.#descriptor = descriptor
  }

  /**
   * @param scope what has to be the same for "done" to mean anything: operation, registry, key, options
   * @throws OUTPUT_FAILED
   */
  static async open(path: string, {scope, resume}: {scope: string; resume: boolean}): Promise<Journal> {
    const done = resume ? await readEntries(path) : new Map<string, JournalEntry>()
    try {
      mkdirSync(dirname(path), {recursive: true, mode: 0o700})
      const descriptor = openSync(path, resume ? 'a' : 'w', 0o600)
      // a line that was cut off must not swallow the next one
      if (resume && done.size > 0) writeSync(descriptor, '\n')
      return new Journal(path, scope, done, descriptor)
    } catch (error) {
      throw writeFailure(path, error)
    }
  }

  /** What is noted under this package with this content. */
  find(subject: string, fingerprint: string): JournalEntry | undefined {
    return this.#done.get(this.#keyOf(subject, fingerprint))
  }

  record(subject: string, fingerprint: string, {id, note, pending, attempt}: JournalEntry): void {
    const line = {key: this.#keyOf(subject, fingerprint), id, note, pending, attempt}
    writeSync(this.#descriptor, `${JSON.stringify(line)}\n`)
    // a key that is lost with the machine would start the same thing twice
    if (attempt !== undefined) fsyncSync(this.#descriptor)
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor)
  }

  #keyOf(subject: string, fingerprint: string): string {
    return keyOf([this.#scope, resolve(subject), fingerprint])
  }
}

/** Where a batch keeps its journal unless `--state` says so: one for each command line and directory. */
export function journalPath(environment: Environment, commandLine: readonly string[]): string {
  const name = keyOf([process.cwd(), ...commandLine]).slice(0, 32)
  return join(homeOf(environment), 'cache', 'batch', `${name}.jsonl`)
}

function keyOf(parts: readonly string[]): string {
  return hash('sha256', JSON.stringify(parts))
}

async function readEntries(path: string): Promise<Map<string, JournalEntry>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw writeFailure(path, error)
  })
  return new Map(text.split('\n').flatMap((line) => parseEntry(line) ?? []))
}

function parseEntry(line: string): [string, JournalEntry][] | undefined {
  try {
    const {key, ...entry} = JSON.parse(line) as {key?: unknown} & Record<string, unknown>
    if (typeof key !== 'string') return undefined
    const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
    const [id, note, pending, attempt] = ['id', 'note', 'pending', 'attempt'].map((name) => textOf(entry[name]))
    // it becomes part of a header
    if (attempt !== undefined && !/^[\w-]{1,64}$/.test(attempt)) return undefined
    return [[key, {id, note, pending, attempt}]]
  } catch {
    return undefined
  }
}
