import type {Json, JsonObject} from '@atomctl/protocol/values'
import type {LogLine, Plan} from '../handlers/handler.ts'
import type {HandlerSpec} from '../program.ts'
import type {Caps} from './caps.ts'
import {KubectlError, type Kubectl} from './kubectl.ts'
import {isSecretType, maskSecrets} from './redaction.ts'
import {objectWords, placeFlags, type Target} from './target.ts'

/** One k8s handler at work: its config with the placeholders filled, its target, and the way to the cluster. */
export interface Session {
  readonly spec: HandlerSpec
  readonly config: JsonObject
  readonly values: JsonObject
  readonly target: Target
  /** Of the action `patch` only. */
  readonly patch: Json | undefined
  readonly kubectl: Kubectl
  /** What the safety policy limits; undefined where it limits nothing. */
  readonly caps: Caps | undefined
  readonly executionId: string
  /** The same for every attempt at this step; what was changed carries it, so that it is not changed twice. */
  readonly idempotencyKey: string
  /** An earlier process may have been killed in this attempt. */
  readonly recovered: boolean
  /** The package's files; absent in a dry run. */
  readonly directory: string | undefined
  /** Where a file that kubectl must read may lie for a moment. */
  readonly scratch: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
  readonly log: LogLine
}

export interface Outcome {
  readonly output: string
  readonly exitCode?: number | null
  /** What outputs are taken from, where they are declared. */
  document?(): Promise<Json> | Json
}

/** One action of k8s handlers. */
export interface Action {
  plan(session: Session): Promise<Plan>
  /** Throws KubectlError or AtomError when it was not done. */
  run(session: Session): Promise<Outcome>
}

/** A command as people would type it; it is never run from this text. */
export function commandLine(words: readonly string[]): string {
  const quoted = words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
  return ['kubectl', ...quoted].join(' ')
}

/** Names of the objects the target stands for; a selector that matches none is an error. */
export async function namesOf(session: Session, type = session.target.type): Promise<string[]> {
  const {target, kubectl} = session
  const words = objectWords(target, type)
  if (target.name !== undefined) return [target.name]
  const {stdout} = await kubectl.ask(['get', ...placeFlags(target), '--output=name', ...words])
  const names = stdout.split('\n').flatMap((line) => line.split('/').at(-1)?.trim() || [])
  if (names.length === 0) throw new KubectlError(`no ${type} matches ${target.selector}`, 'NotFound')
  return names
}

/** The object itself; Secrets without their values. */
export async function readObject(session: Session, words = objectWords(session.target)): Promise<Json> {
  const object = await session.kubectl.read(['get', ...placeFlags(session.target), ...words])
  return maskSecrets(object)
}

export function isSecretTarget({target}: Session): boolean {
  return isSecretType(target.type)
}

/** A plan of what only looks, or cannot be tried: the command, and whether what it acts on is there. */
export async function planCommand(
  session: Session,
  words: readonly string[],
  type = session.target.type,
): Promise<Plan> {
  const lines = [`would run: ${commandLine(words)}`]
  const {name, selector} = session.target
  if (type === undefined || (name === undefined && selector === undefined)) return {outcome: 'ready', lines}
  const found = name === undefined ? await namesOf(session, type) : await existing(session, type, name)
  return {outcome: 'ready', lines: [...lines, `on ${type} ${found.slice(0, 20).join(', ')}`]}
}

async function existing({kubectl, target}: Session, type: string, name: string): Promise<string[]> {
  await kubectl.ask(['get', ...placeFlags(target), '--output=name', `${type}/${name}`])
  return [name]
}
