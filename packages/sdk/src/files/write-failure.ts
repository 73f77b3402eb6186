import {AtomError, isAtomError} from '@atomctl/wpk/errors'

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the disk',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the file system is read-only',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is not a directory',
  EEXIST: 'it exists already',
  ENAMETOOLONG: 'the name is too long',
  EFBIG: 'the file is too large for the file system',
}

/** The error of a failed write, said in words; an error that is ours already passes unchanged. */
export function writeFailure(path: string, cause: unknown): AtomError {
  if (isAtomError(cause)) return cause
  const {code, message} = cause as NodeJS.ErrnoException
  const hint =
    code === 'ENOSPC' || code === 'EDQUOT' ? 'free some space, or write somewhere else' : 'write somewhere else'
  return new AtomError('OUTPUT_FAILED', `cannot write ${path}: ${REASONS[code ?? ''] ?? message}`, {hint, cause})
}
