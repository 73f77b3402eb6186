import {mkdir, stat} from 'node:fs/promises'
import {dirname} from 'node:path'
import {AtomError} from '@atomctl/wpk/errors'

export interface WriteOptions {
  /** File mode, default 0644 as the umask allows. */
  mode?: number
  directoryMode?: number
}

/**
 * Replaces a file in one step (temporary file beside it, fsync, rename): a reader, Ctrl-C or a full disk never
 * sees half of it. Keeps the mode of an existing file unless one is given.
 * @throws OUTPUT_FAILED; what was there before is unchanged.
 */
export async function writeFileSafely(
  path: string,
  data: string | Uint8Array,
  options: WriteOptions = {},
): Promise<void> {
  const {default: writeFileAtomic} = await import('write-file-atomic')
  try {
    await mkdir(dirname(path), {recursive: true, ...(options.directoryMode ? {mode: options.directoryMode} : {})})
    const mode = options.mode ?? (await existingMode(path))
    await writeFileAtomic(path, data as Buffer, {...(mode === undefined ? {} : {mode})})
  } catch (error) {
    throw writeFailure(path, error)
  }
}

/** The error of a failed write, said in words. */
export function writeFailure(path: string, cause: unknown): AtomError {
  const {code, message} = cause as NodeJS.ErrnoException
  return new AtomError('OUTPUT_FAILED', `cannot write ${path}: ${REASONS[code ?? ''] ?? message}`, {cause})
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'it exists already',
}

async function existingMode(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777
  } catch {
    return undefined
  }
}
