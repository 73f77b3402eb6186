import {execFile} from 'node:child_process'
import {readFile} from 'node:fs/promises'
import {setTimeout as pause} from 'node:timers/promises'
import {promisify} from 'node:util'

/** A process and not merely its number: the system gives numbers out again, after a reboot from the start. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in the platform's own words; null where that cannot be read. */
  readonly started: string | null
  /** Which boot of the machine `started` counts from; null where `started` is a date. */
  readonly boot: string | null
}

/** The process that has this number now; undefined when there is none, or only a zombie nobody has collected. */
export async function identifyProcess(pid: number): Promise<ProcessIdentity | undefined> {
  if (!exists(pid)) return undefined
  if (process.platform === 'linux') return identifyOnLinux(pid)
  if (process.platform === 'win32') return {pid, started: null, boot: null}
  const [state, ...started] = (await ps(pid, 'stat=,lstart=')).split(/\s+/)
  return state && !state.startsWith('Z') ? {pid, started: started.join(' '), boot: null} : undefined
}

/** True while the very process runs that was identified before. */
export async function isAlive(process: ProcessIdentity): Promise<boolean> {
  const now = await identifyProcess(process.pid)
  return now !== undefined && now.started === process.started && now.boot === process.boot
}

const POLL_MS = 20

/** Waits until the process is gone; false when it still runs after `milliseconds`. */
export async function waitForEnd(process: ProcessIdentity, milliseconds: number): Promise<boolean> {
  const deadline = performance.now() + milliseconds
  while (await isAlive(process)) {
    if (performance.now() > deadline) return false
    await pause(POLL_MS)
  }
  return true
}

/** Resident memory in bytes; undefined where it cannot be read. */
export async function readResidentBytes(pid: number): Promise<number | undefined> {
  if (process.platform === 'win32') return undefined
  const kibibytes =
    process.platform === 'linux'
      ? /^VmRSS:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => ''))?.[1]
      : await ps(pid, 'rss=')
  return kibibytes ? Number(kibibytes) * 1024 : undefined
}

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: it runs, as somebody else
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

// proc(5): the name in field 2 may hold blanks and parentheses, so fields are counted from its end.
async function identifyOnLinux(pid: number): Promise<ProcessIdentity | undefined> {
  const [stat, boot] = await Promise.all([
    readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined),
    readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => null),
  ])
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined
  return {pid, started: fields[19] ?? null, boot: boot?.trim() ?? null}
}

async function ps(pid: number, columns: string): Promise<string> {
  try {
    return (await promisify(execFile)('ps', ['-o', columns, '-p', String(pid)])).stdout.trim()
  } catch {
    return '' // ps exits 1 when there is no such process
  }
}
