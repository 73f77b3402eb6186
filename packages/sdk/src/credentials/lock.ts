import {link, mkdir, open, readFile, rename, rm, stat} from 'node:fs/promises'
import {dirname} from 'node:path'
import {pause, systemClock} from '../http/clock.ts'
import {AtomError} from '../errors.ts'

const POLL = 25
/** Longer than any refresh takes: a request and its retries. */
const PATIENCE = 120_000

/**
 * Runs work while no other process of this user does: of two that find a token run out, one refreshes it and the other
 * finds it fresh. A lock whose process is gone is taken over.
 * @throws CONFLICT when another process holds it for two minutes
 */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), {recursive: true, mode: 0o700})
  await acquire(path)
  try {
    return await work()
  } finally {
    await rm(path, {force: true})
  }
}

async function acquire(path: string): Promise<void> {
  const end = Date.now() + PATIENCE
  while (!(await tryLock(path))) {
    if (await isAbandoned(path)) await takeAway(path)
    else if (Date.now() > end) throw new AtomError('CONFLICT', `another process holds ${path}`, {hint: `rm ${path}`})
    else await pause(systemClock, POLL)
  }
}

async function tryLock(path: string): Promise<boolean> {
  try {
    const handle = await open(path, 'wx', 0o600)
    await handle.writeFile(String(process.pid)).finally(() => handle.close())
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

// Of two that find it abandoned, the slower one may get hold of the lock that the faster one has just made: it goes back.
async function takeAway(path: string): Promise<void> {
  const aside = `${path}.${process.pid}`
  await rename(path, aside).catch(() => undefined)
  const text = await readFile(aside, 'utf8').catch(() => '')
  if (isAlive(Number(text) || -1)) await link(aside, path).catch(() => undefined)
  await rm(aside, {force: true})
}

// Empty: its owner is about to write its number, or died doing so.
async function isAbandoned(path: string): Promise<boolean> {
  const text = await readFile(path, 'utf8').catch(() => '')
  const pid = Number(text)
  if (Number.isInteger(pid) && pid > 0) return !isAlive(pid)
  const age = await stat(path).then(
    ({mtimeMs}) => Date.now() - mtimeMs,
    () => 0,
  )
  return age > 10_000
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
