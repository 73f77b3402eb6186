import {createReadStream, unlinkSync} from 'node:fs'
import {link, mkdir, open as openFile, realpath, rename, stat, unlink} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import type {Readable} from 'node:stream'
import {AtomError} from '@atomctl/wpk/errors'
import {writeFailure} from './write-failure.ts'

export interface StageOptions {
  /** File mode; default: that of the file to be replaced, else what the umask allows. */
  readonly mode?: number
  /** Mode of directories that have to be made. */
  readonly directoryMode?: number
  /** Refuse to replace a file that exists (OUTPUT_EXISTS) instead of replacing it. */
  readonly exclusive?: boolean
}

/** A file written out beside its destination and not visible under its name before `commit`. */
export interface StagedFile extends AsyncDisposable {
  readonly path: string
  /** Reads back what was written, before or after `commit`. @throws OUTPUT_FAILED for a device or pipe */
  open(): Readable
  /** Puts it in place in one step. */
  commit(): Promise<void>
}

const pending = new Set<string>()
let cleansUp = false

/**
 * Writes content to a temporary file beside `path`, flushed to the disk. Nothing is replaced until `commit`, and
 * without it nothing stays: not after an error, Ctrl-C or a full disk. A device or pipe has no "before": it is
 * written at once, never replaced.
 * @throws OUTPUT_FAILED, OUTPUT_EXISTS
 */
export async function stageFile(
  path: string,
  content: Readable | string | Uint8Array,
  options: StageOptions = {},
): Promise<StagedFile> {
  try {
    const target = await resolveTarget(path)
    if (options.exclusive && target.mode !== undefined) throw existing(path)
    if (target.special) return await writeThrough(path, content)
    await mkdir(dirname(target.path), {
      recursive: true,
      ...(options.directoryMode ? {mode: options.directoryMode} : {}),
    })
    const temporary = join(dirname(target.path), temporaryName())
    remember(temporary)
    await writeNew(temporary, content, options.mode ?? target.mode).catch(async (error: unknown) => {
      await discard(temporary)
      throw error
    })
    return {
      path,
      open: () => createReadStream(pending.has(temporary) ? temporary : target.path),
      commit: () => putInPlace(temporary, target.path, path, options.exclusive ?? false),
      [Symbol.asyncDispose]: () => discard(temporary),
    }
  } catch (error) {
    throw writeFailure(path, error)
  }
}

// Unique, not secret: the file is created exclusively, so one that lies there already is an error. (And node:crypto
// would be a tenth of the start-up of every command that may write a file.)
function temporaryName(): string {
  count += 1
  return `.atomctl-${process.pid}-${Date.now().toString(36)}-${count}.tmp`
}
let count = 0

interface Target {
  /** Where a link points to: replacing the link itself would cut it off. */
  path: string
  /** undefined: nothing is there yet. */
  mode: number | undefined
  special: boolean
}

async function resolveTarget(path: string): Promise<Target> {
  const info = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!info) return {path, mode: undefined, special: false}
  if (info.isDirectory()) throw new AtomError('OUTPUT_FAILED', `cannot write ${path}: it is a directory`)
  return {path: await realpath(path), mode: info.mode & 0o777, special: !info.isFile()}
}

async function writeThrough(path: string, content: Readable | string | Uint8Array): Promise<StagedFile> {
  await using handle = await openFile(path, 'w')
  await handle.writeFile(content)
  const open = (): never => {
    throw new AtomError('OUTPUT_FAILED', `${path} is no regular file and cannot be read back`)
  }
  return {path, open, commit: async () => {}, [Symbol.asyncDispose]: async () => {}}
}

async function writeNew(path: string, content: Readable | string | Uint8Array, mode?: number): Promise<void> {
  await using handle = await openFile(path, 'wx', mode ?? 0o666)
  // the umask applies to `open`; a mode that was asked for is meant exactly
  if (mode !== undefined) await handle.chmod(mode)
  await handle.writeFile(content)
  await handle.sync()
}

async function putInPlace(temporary: string, target: string, path: string, exclusive: boolean): Promise<void> {
  try {
    await (exclusive ? linkNew(temporary, target) : rename(temporary, target))
  } catch (error) {
    if (exclusive && (error as NodeJS.ErrnoException).code === 'EEXIST') throw existing(path)
    throw writeFailure(path, error)
  } finally {
    await discard(temporary)
  }
}

// A hard link never replaces; file systems without them get the check that was made before.
async function linkNew(temporary: string, target: string): Promise<void> {
  await link(temporary, target).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') throw error
    return rename(temporary, target)
  })
}

function existing(path: string): AtomError {
  return new AtomError('OUTPUT_EXISTS', `${path} exists already`, {hint: `name another file, or add --force`})
}

function remember(temporary: string): void {
  pending.add(temporary)
  if (cleansUp) return
  cleansUp = true
  process.once('exit', removePending)
}

async function discard(temporary: string): Promise<void> {
  if (!pending.delete(temporary)) return
  await unlink(temporary).catch(() => undefined)
}

function removePending(): void {
  for (const temporary of pending) {
    try {
      unlinkSync(temporary)
    } catch {
      // gone already, or its directory is
    }
  }
}
