import {execFile} from 'node:child_process'
import {readdirSync, readFileSync, readlinkSync} from 'node:fs'

/** In the environment of everything a handler starts; a child that left the group with setsid still carries it. */
export const COOKIE_VARIABLE = 'ATOM_STEP_COOKIE'

export interface ProcessFacts {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
  /** In ticks since the machine started. */
  readonly started: number
}

/** By what the processes of a step are known, wherever they went. */
export interface Marks {
  readonly leader: number
  /** In the environment of all of them, unless they cleared it. */
  readonly cookie: string
  /** What the leader's output goes to; a daemon without it redirected its own. */
  readonly outputs: ReadonlySet<string>
  /** A folder that belongs to this step's execution alone. */
  readonly directory: string | undefined
  /** When the leader started, in ticks; undefined without /proc. */
  readonly started: number | undefined
}

/** To be called while the leader still has the output that it was started with. */
export function markTree(leader: number, cookie: string, directory: string | undefined): Marks {
  const outputs = process.platform === 'linux' ? [linkOf(leader, 'fd/1'), linkOf(leader, 'fd/2')] : []
  const own = outputs.filter((link) => link !== undefined && /^(socket|pipe):/.test(link))
  return {leader, cookie, outputs: new Set(own as string[]), directory, started: readProcess(leader)?.started}
}

/**
 * Living processes of a step: its group, its session, everything below it and, on Linux, everything that carries its
 * cookie or its output, and orphans in its own folder. What forked twice, cleared its environment, redirected its
 * output and left the folder is not found. Without /proc only the leader is known; signals then go to the group alone.
 */
export function findTree(marks: Marks): number[] {
  const {leader, cookie} = marks
  const processes = readProcesses()
  const living = new Set(processes.map(({pid}) => pid))
  const members = new Set<number>()
  for (const facts of processes) {
    const {pid, group, session} = facts
    const isNear = pid === leader || group === leader || session === leader
    if (isNear || hasCookie(pid, COOKIE_VARIABLE, cookie) || hasOutput(pid, marks) || isStray(facts, living, marks))
      members.add(pid)
  }
  for (let size = -1; size !== members.size;) {
    size = members.size
    for (const {pid, parent} of processes) if (members.has(parent)) members.add(pid)
  }
  members.delete(process.pid)
  return [...members]
}

function hasOutput(pid: number, {outputs}: Marks): boolean {
  return outputs.size > 0 && [linkOf(pid, 'fd/1'), linkOf(pid, 'fd/2')].some((link) => outputs.has(link ?? ''))
}

/** A daemon of this step, and not the shell of somebody who looks around in its folder. */
function isStray({pid, parent, session, started}: ProcessFacts, living: ReadonlySet<number>, marks: Marks): boolean {
  const isOrphan = parent === 1 || !living.has(session)
  if (!isOrphan || marks.directory === undefined || started < (marks.started ?? Infinity)) return false
  const folder = linkOf(pid, 'cwd')
  return folder === marks.directory || folder?.startsWith(`${marks.directory}/`) === true
}

function linkOf(pid: number, name: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/${name}`)
  } catch {
    return undefined
  }
}

/** Living processes whose environment says they belong to this step: orphans of a runtime that was killed. */
export function findOrphans(idempotencyKey: string): number[] {
  return readProcesses()
    .map(({pid}) => pid)
    .filter((pid) => pid !== process.pid && hasCookie(pid, 'ATOM_IDEMPOTENCY_KEY', idempotencyKey))
}

export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) signalOne(pid, signal)
}

/** Signals the leader's whole group, and those that left it as far as they can be found. */
export function signalTree(marks: Marks, signal: NodeJS.Signals): void {
  const {leader} = marks
  if (process.platform === 'win32') return void execFile('taskkill', ['/pid', String(leader), '/T', '/F'], () => {})
  const members = findTree(marks)
  signalOne(-leader, signal)
  signalAll(members, signal)
}

function signalOne(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone meanwhile, which is what was wanted.
  }
}

function readProcesses(): ProcessFacts[] {
  if (process.platform !== 'linux') return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? [])
}

/** proc(5) counts it as the 22nd, the state as the third. */
const START_TIME = 19

/** Undefined for one that is gone, as zombies are, or that nobody here can see. */
export function readProcess(pid: number): ProcessFacts | undefined {
  try {
    // the name in it may hold anything, so fields are read after its last parenthesis
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    const [state, parent, group, session] = fields
    if (state === 'Z' || state === 'X') return undefined
    const started = Number(fields[START_TIME])
    return {pid, parent: Number(parent), group: Number(group), session: Number(session), started}
  } catch {
    return undefined
  }
}

function hasCookie(pid: number, name: string, value: string): boolean {
  try {
    return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${name}=${value}\0`)
  } catch {
    return false
  }
}
