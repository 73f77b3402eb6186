import {AtomError} from '../errors.ts'

/** Upper bounds an archive must stay within; all sizes in bytes. Reading and packing apply the same ones. */
export interface ArchiveLimits {
  /** Size of the .tar.gz itself. */
  readonly compressedBytes: number
  /** Size of the tar inside. */
  readonly totalBytes: number
  readonly fileBytes: number
  readonly documentBytes: number
  readonly files: number
  /** Largest accepted expansion (tar bytes per compressed byte), applied once more than `ratioFloor` bytes came out. */
  readonly ratio: number
  readonly ratioFloor: number
}

const MIB = 1024 * 1024

export const DEFAULT_LIMITS: ArchiveLimits = {
  compressedBytes: 1024 * MIB,
  totalBytes: 1024 * MIB,
  fileBytes: 1024 * MIB,
  documentBytes: MIB,
  files: 10_000,
  ratio: 200,
  ratioFloor: 256 * MIB,
}

/** Fills a partial set of limits with the defaults. */
export function limitsOf(limits: Partial<ArchiveLimits> = {}): ArchiveLimits {
  return {...DEFAULT_LIMITS, ...limits}
}

/** Throws ARCHIVE_TOO_LARGE when `value` is above `limit`; `what` names the measured thing in the message. */
export function checkLimit(what: string, value: number, limit: number): void {
  if (value <= limit) return
  throw new AtomError('ARCHIVE_TOO_LARGE', `${what}: ${value} exceeds the limit of ${limit}`, {
    hint: 'leave out what the workflow does not need, or split the package',
    details: {value, limit},
  })
}
