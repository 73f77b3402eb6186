import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {Json} from '@atomctl/protocol/values'
import {isObject} from '../program.ts'
import type {Effect} from './caps.ts'
import {describeDifference} from './difference.ts'
import {commandLine, readObject, type Action, type Session} from './session.ts'
import {placeFlags} from './target.ts'
import {parseJson} from './values.ts'

/** One call of kubectl that changes something and understands `--dry-run=server`. */
export interface Change {
  /** The words after `kubectl`, without those that say where. */
  readonly words: readonly string[]
  /** For standard input. */
  readonly input?: string
  /** Reaches kubectl in a file: arguments are open to every user of the machine. */
  readonly patch?: Json
  /** `kubectl get` of what is there now, absent for what is made anew. */
  readonly present: {readonly words: readonly string[]; readonly input?: string} | undefined
  /** For the log: what was found. */
  readonly note?: string
}

/** Field manager of everything that is changed. */
export const MANAGER = '--field-manager=atomctl'

/** An action that comes down to changes: a dry run asks the API for each and shows the difference. */
export function changing(
  changesOf: (session: Session) => Promise<readonly Change[]>,
  documentOf: (session: Session) => Promise<Json> = readObject,
): Action {
  return {
    async plan(session) {
      const changes = await changesOf(session)
      const previews: Effect[][] = []
      for (const change of changes) previews.push(await previewChange(session, change))
      session.caps?.check(previews.flat())
      const lines = changes.flatMap((change, index) => describeChange(session, change, previews[index] ?? []))
      return {outcome: 'ready', lines: lines.length > 0 ? lines : ['would change nothing']}
    },
    async run(session) {
      const outputs: string[] = []
      const changes = await changesOf(session)
      if (session.caps) {
        const previews: Effect[] = []
        for (const change of changes) previews.push(...(await previewChange(session, change)))
        session.caps.check(previews)
      }
      for (const change of changes) outputs.push(await applyChange(session, change))
      return {output: outputs.join(''), exitCode: 0, document: () => documentOf(session)}
    },
  }
}

/** Asks the API what it would make of the change, without its doing so. */
async function previewChange(session: Session, change: Change): Promise<Effect[]> {
  const before = await presentObjects(session, change)
  const {stdout} = await withPatch(session, change, (words) =>
    session.kubectl.ask([...words, '--dry-run=server', '--output=json'], change.input),
  )
  return objectsIn(parseJson(stdout)).map((after) => ({
    before: before.find((candidate) => identity(candidate) === identity(after)),
    after,
  }))
}

function describeChange(session: Session, change: Change, effects: readonly Effect[]): string[] {
  const lines = effects.flatMap(({before, after = null}) => {
    const difference = describeDifference(before, after)
    const verb = before === undefined ? 'creates' : difference.length > 0 ? 'changes' : 'leaves as it is'
    return [`${verb} ${identity(after)}`, ...difference]
  })
  const note = change.note === undefined ? [] : [change.note]
  return [`would run: ${commandLine([...change.words, ...placeFlags(session.target)])}`, ...note, ...lines]
}

async function applyChange(session: Session, change: Change): Promise<string> {
  const {kubectl, log} = session
  if (change.note !== undefined) log('system', change.note)
  const {output} = await withPatch(session, change, (words) => kubectl.stream(words, change.input))
  return output
}

async function presentObjects({kubectl, target}: Session, {present}: Change): Promise<Json[]> {
  if (!present) return []
  const words = ['get', ...placeFlags(target), '--output=json', ...present.words]
  return objectsIn(parseJson((await kubectl.ask(words, present.input)).stdout))
}

async function withPatch<T>(
  {scratch, target}: Session,
  {words, patch}: Change,
  work: (words: string[]) => Promise<T>,
): Promise<T> {
  const placed = [...words, ...placeFlags(target)]
  if (patch === undefined) return work(placed)
  const directory = await mkdtemp(join(scratch, 'patch-'))
  try {
    const file = join(directory, 'patch.json')
    await writeFile(file, JSON.stringify(patch), {mode: 0o600})
    return await work([...placed, `--patch-file=${file}`])
  } finally {
    await rm(directory, {recursive: true, force: true})
  }
}

/** One object, or those of a list. */
export function objectsIn(value: Json | undefined): Json[] {
  if (!isObject(value)) return []
  return Array.isArray(value['items']) && !isObject(value['spec']) ? value['items'] : [value]
}

function identity(object: Json): string {
  const metadata = isObject(object) && isObject(object['metadata']) ? object['metadata'] : {}
  const kind = isObject(object) ? String(object['kind'] ?? 'object').toLowerCase() : 'object'
  const namespace = typeof metadata['namespace'] === 'string' ? ` in namespace ${metadata['namespace']}` : ''
  return `${kind} ${String(metadata['name'] ?? '')}${namespace}`
}
