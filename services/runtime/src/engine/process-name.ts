import {randomUUID} from 'node:crypto'
import {readFileSync, readlinkSync} from 'node:fs'
import {readProcess} from '../process/tree.ts'

/**
 * A name that no other process ever has. On Linux it also says where this one is, so that others in the same place can
 * tell when it is gone: which start of which machine, which namespace of process numbers, number and start time.
 */
export function nameProcess(): string {
  const place = placeOf()
  const started = readProcess(process.pid)?.started
  if (place === undefined || started === undefined) return randomUUID()
  return [randomUUID(), place, process.pid, started].join('@')
}

/**
 * True only when the process of that name certainly is no more: it was here, and its number belongs to nobody, or to
 * one that started at another time. What cannot be seen, as another user's process, is not taken for dead.
 */
export function isGone(name: string): boolean {
  const [, place, pid, started] = name.split('@')
  if (place === undefined || place !== placeOf()) return false
  if (!exists(Number(pid))) return true
  const found = readProcess(Number(pid))
  return found !== undefined && found.started !== Number(started)
}

/** Undefined where there is no /proc to tell. */
function placeOf(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`
  } catch {
    return undefined
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as {code?: unknown}).code !== 'ESRCH'
  }
}
