import type {Json} from '@atomctl/protocol/values'
import {parseJson, valueAt} from '../kubernetes/values.ts'
import {isObject, type HandlerSpec} from '../program.ts'
import {EngineError, oneLine, type ContainerEngine} from './engine.ts'

const PULL_LINES = 200
const LONGEST_LINE = 64 * 1024

export type PullPolicy = 'always' | 'missing' | 'never'

export function pullPolicy({config: {pull}}: HandlerSpec): PullPolicy {
  return pull === 'always' || pull === 'never' ? pull : 'missing'
}

export interface Image {
  /** The engine's own, which names these bytes and no others. */
  readonly id: string
  /** What a registry knows it by, where it came from one; else the id. */
  readonly digest: string
}

/** Undefined when the engine does not have it. Throws EngineError. */
export async function findImage(
  engine: ContainerEngine,
  reference: string,
  signal: AbortSignal,
): Promise<Image | undefined> {
  const answer = await engine.ask('GET', `/images/${reference}/json`, {signal}).catch((error: unknown) => {
    if (error instanceof EngineError && error.reason === 'NotFound') return undefined
    throw error
  })
  if (answer === undefined) return undefined
  const id = valueAt(answer, 'Id')
  if (typeof id !== 'string') throw new EngineError('Broken', 'the container engine tells an image without its id')
  const known = valueAt(answer, 'RepoDigests')
  const digest = Array.isArray(known) ? known.find((entry) => typeof entry === 'string') : undefined
  return {id, digest: /@(sha256:[0-9a-f]{64})$/.exec(String(digest))?.[1] ?? id}
}

/** What the image's registry says now, asked through the engine; undefined where that cannot be found out. */
export async function askRegistry(
  engine: ContainerEngine,
  reference: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = `/distribution/${reference}/json`
  const answer = await engine.ask('GET', path, {signal}).catch((error: unknown) => {
    if (error instanceof EngineError && error.reason !== 'Stopped') return null
    throw error
  })
  const digest = valueAt(answer, 'Descriptor', 'digest')
  return typeof digest === 'string' && /^sha256:[0-9a-f]{64}$/.test(digest) ? digest : undefined
}

/** Logs a line whenever something changes, not for every percent. Throws EngineError. */
export async function pullImage(
  engine: ContainerEngine,
  reference: string,
  signal: AbortSignal,
  log: (text: string) => void,
): Promise<void> {
  const progress = new PullProgress(log)
  // Without a tag the engine would fetch every tag there is.
  const hasTag = /[:@][^/]*$/.test(reference)
  const query = {fromImage: reference, ...(hasTag ? {} : {tag: 'latest'})}
  await engine.stream('POST', '/images/create', {query, signal}, (chunk) => progress.push(chunk))
  progress.end()
}

/** Reads JSON lines; a failed pull is a line in an answer that began as a success. */
class PullProgress {
  readonly #log: (text: string) => void
  readonly #said = new Set<string>()
  readonly #decoder = new TextDecoder()
  #rest = ''

  constructor(log: (text: string) => void) {
    this.#log = log
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, {stream: true})).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > LONGEST_LINE) throw new EngineError('Broken', 'the progress of the pull has no lines')
    for (const line of lines) this.#read(line)
  }

  end(): void {
    this.#read(this.#rest)
  }

  #read(line: string): void {
    const report: Json = parseJson(line) ?? null
    if (!isObject(report)) return
    const {error, id, status} = report
    if (typeof error === 'string') throw new EngineError('Refused', oneLine(error))
    const text = [id, status].filter((part) => typeof part === 'string').join(': ')
    if (text === '' || this.#said.has(text) || this.#said.size >= PULL_LINES) return
    this.#said.add(text)
    this.#log(oneLine(text))
  }
}
