import {execFile} from 'node:child_process'
import {
  constants,
  copyFile,
  link,
  mkdir,
  readFile,
  readlink,
  rename,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises'
import {hostname} from 'node:os'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {AtomError} from '@atomctl/wpk/errors'

export interface DirectoryLock {
  release(): Promise<void>
}

/** Who holds the lock: a pid alone is not enough, the system gives pids out again. */
interface Owner {
  readonly pid: number
  /** When the process started, in whatever unit the platform has; undefined when it cannot be read. */
  readonly started: string | undefined
  /** The space in which the pid means something: boot and pid namespace on Linux, else the host name. */
  readonly space: string
}

const HEARTBEAT_MS = 5000
/** Owners in another pid namespace (a container on the same volume) cannot be looked up; they go by their heartbeat. */
const SILENCE_MS = 30_000

/**
 * Takes the exclusive lock of a data directory: PGlite itself has none, and two writers destroy the files.
 * A lock whose owner was killed is taken over. Throws STORAGE_LOCKED while the owner lives.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const file = join(directory, 'lock')
  const self = await describeProcess(process.pid)
  const claim = join(directory, `lock.${process.pid}.${Math.random().toString(36).slice(2)}`)
  await writeFile(claim, JSON.stringify(self), {mode: 0o600})
  try {
    if (!(await createFrom(claim, file))) await takeOver(claim, file, directory)
  } finally {
    await rm(claim, {force: true})
  }
  return holdLock(file)
}

/**
 * `link` makes a lock appear with its content in one step, and only if there is none. File systems without hard
 * links (exFAT, some mounts into containers) get a copy, which is as exclusive but not in one step.
 */
async function createFrom(claim: string, file: string): Promise<boolean> {
  try {
    await link(claim, file).catch(async (error: NodeJS.ErrnoException) => {
      if (!NO_LINKS.has(error.code)) throw error
      await copyFile(claim, file, constants.COPYFILE_EXCL)
    })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** Only one process at a time may judge a lock stale, or the second would steal what the first just took. */
async function takeOver(claim: string, file: string, directory: string): Promise<void> {
  const gate = join(directory, 'lock.takeover')
  await enterGate(gate, directory)
  try {
    const owner = await readOwner(file)
    if (owner && (await isAlive(owner, file))) throw lockedError(directory, owner)
    await rename(claim, file)
  } finally {
    await rm(gate, {recursive: true, force: true})
  }
}

async function enterGate(gate: string, directory: string): Promise<void> {
  try {
    await mkdir(gate)
  } catch (error) {
    const age = Date.now() - (await stat(gate).then(({mtimeMs}) => mtimeMs, Date.now))
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || age < SILENCE_MS) throw lockedError(directory, undefined)
    await rm(gate, {recursive: true, force: true})
    await mkdir(gate)
  }
}

async function readOwner(file: string): Promise<Owner | undefined> {
  try {
    const owner = JSON.parse(await readFile(file, 'utf8')) as Partial<Owner> | null
    if (typeof owner?.pid !== 'number' || typeof owner.space !== 'string') return undefined
    return {pid: owner.pid, space: owner.space, started: owner.started}
  } catch {
    return undefined // vanished, or cut off by a crash of the machine: nobody holds it
  }
}

async function isAlive(owner: Owner, file: string): Promise<boolean> {
  const now = await describeProcess(owner.pid)
  if (now.space === owner.space) return isRunning(owner.pid) && now.started === owner.started
  const seen = await stat(file).then(
    ({mtimeMs}) => mtimeMs,
    () => 0,
  )
  return Date.now() - seen < SILENCE_MS
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function describeProcess(pid: number): Promise<Owner> {
  return {pid, started: await startTime(pid).catch(() => undefined), space: await pidSpace()}
}

async function pidSpace(): Promise<string> {
  if (process.platform !== 'linux') return hostname()
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(hostname)
  return `${boot.trim()} ${await readlink('/proc/self/ns/pid').catch(() => '')}`
}

async function startTime(pid: number): Promise<string | undefined> {
  if (process.platform === 'win32') return undefined
  if (process.platform !== 'linux') {
    return (await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)])).stdout.trim()
  }
  // proc(5): field 22; the command name in field 2 may hold blanks and parentheses, so count from its end
  const text = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  // a zombie, whose parent has not asked for its exit yet, holds nothing any more
  return fields[0] === 'Z' ? undefined : fields[19]
}

function holdLock(file: string): DirectoryLock {
  const heartbeat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => {}), HEARTBEAT_MS)
  heartbeat.unref()
  return {
    async release() {
      clearInterval(heartbeat)
      await rm(file, {force: true})
    },
  }
}

function lockedError(directory: string, owner: Owner | undefined): AtomError<'STORAGE_LOCKED'> {
  const holder = owner ? `process ${owner.pid}` : 'another process'
  return new AtomError('STORAGE_LOCKED', `${directory} is in use by ${holder}`, {
    hint: 'stop it first (atomctl dev down), or choose another directory with --data-dir',
    details: {directory, ...(owner && {pid: owner.pid})},
  })
}
