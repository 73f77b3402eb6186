import {stageFile, type StageOptions} from './stage.ts'

export type WriteOptions = StageOptions

/**
 * Replaces a file in one step (temporary file beside it, fsync, rename): a reader, Ctrl-C or a full disk never
 * sees half of it. Keeps the mode of an existing file unless one is given.
 * @throws OUTPUT_FAILED, OUTPUT_EXISTS; what was there before is unchanged.
 */
export async function writeFileSafely(
  path: string,
  data: string | Uint8Array,
  options: WriteOptions = {},
): Promise<void> {
  await using staged = await stageFile(path, data, options)
  await staged.commit()
}
