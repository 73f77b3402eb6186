import {execFile} from 'node:child_process'
import {readdirSync, readFileSync} from 'node:fs'

/** In the environment of everything a handler starts; a child that left the group with setsid still carries it. */
export const COOKIE_VARIABLE = 'ATOM_STEP_COOKIE'

interface ProcessFacts {
  readonly pid: number
  readonly parent: number
  readonly group: number
  readonly session: number
}

/**
 * Living processes of a step: its group, its session, everything below it and, on Linux, everything that carries its
 * cookie. Without /proc only the leader is known; signals then go to the group alone.
 */
export function findTree(leader: number, cookie: string): number[] {
  const processes = readProcesses()
  const members = new Set<number>()
  for (const {pid, group, session} of processes)
    if (pid === leader || group === leader || session === leader || hasCookie(pid, COOKIE_VARIABLE, cookie))
      members.add(pid)
  for (let size = -1; size !== members.size;) {
    size = members.size
    for (const {pid, parent} of processes) if (members.has(parent)) members.add(pid)
  }
  members.delete(process.pid)
  return [...members]
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
export function signalTree(leader: number, cookie: string, signal: NodeJS.Signals): void {
  if (process.platform === 'win32') return void execFile('taskkill', ['/pid', String(leader), '/T', '/F'], () => {})
  const members = findTree(leader, cookie)
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

/** Zombies count as gone. The name in `stat` may hold anything, so fields are read after its last parenthesis. */
function readProcess(pid: number): ProcessFacts | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1')
    const [state, parent, group, session] = text.slice(text.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z' || state === 'X') return undefined
    return {pid, parent: Number(parent), group: Number(group), session: Number(session)}
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
