import {statfs} from 'node:fs/promises'
import {AtomError} from '@atomctl/wpk/errors'

/** PostgreSQL stops itself when its log cannot grow, so content is refused while there is still room for the log. */
const RESERVE_BYTES = 64 * 1024 * 1024

/** Throws STORAGE_FULL when the disk of `directory` has less than `reserve` bytes left. */
export async function checkSpace(directory: string, reserve: number = RESERVE_BYTES): Promise<void> {
  const {bavail, bsize} = await statfs(directory)
  const free = bavail * bsize
  if (free >= reserve) return
  const [has, needs] = [free, reserve].map((bytes) => Math.floor(bytes / 1024 / 1024))
  throw new AtomError('STORAGE_FULL', `${directory}: ${has} MB are free, ${needs} MB are needed`, {
    hint: 'free disk space, or choose another directory with --data-dir',
    details: {directory, free},
  })
}
