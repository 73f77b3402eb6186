import {chmod, mkdir, mkdtemp, rename, rm, stat} from 'node:fs/promises'
import {dirname, join} from 'node:path'
import {AtomError} from '@atomctl/sdk/errors'
import {stageFile, writeFailure} from '@atomctl/sdk/files'
import type {Template} from './template.ts'

export interface NewPackage {
  readonly name: string
  readonly text: string
  readonly files: Template['files']
  /** Goes beside a package that is one file. */
  readonly test?: string | undefined
}

/**
 * Writes a new package below a directory: NAME.wpk.yaml with its tests, or NAME/ when it has files. All of it or nothing; what
 * exists is replaced only with `force`.
 * @returns the document's path, and all paths
 * @throws OUTPUT_EXISTS, OUTPUT_FAILED
 */
export async function writePackage(made: NewPackage, directory: string, force: boolean): Promise<string[]> {
  const file = `${made.name}.wpk.yaml`
  if (made.files.length === 0) return writeFiles(made, directory, force)
  const target = join(directory, made.name)
  const exists = await stat(target).then(
    () => true,
    () => false,
  )
  if (exists && !force) throw new AtomError('OUTPUT_EXISTS', `${target} exists already`, {hint: 'add --force'})
  if (exists) await writeInto(made, target)
  else await writeNew(made, target)
  return [file, ...made.files.map(({path}) => path)].map((path) => join(target, path))
}

/** The document, and its tests. */
async function writeFiles({name, text, test}: NewPackage, directory: string, force: boolean): Promise<string[]> {
  const contents = [[`${name}.wpk.yaml`, text], ...(test === undefined ? [] : [[`${name}.wpktest.yaml`, test]])]
  await using stack = new AsyncDisposableStack()
  const staged = []
  for (const [file = '', content = ''] of contents)
    staged.push(stack.use(await stageFile(join(directory, file), content, {exclusive: !force})))
  for (const file of staged) await file.commit()
  return staged.map(({path}) => path)
}

/** Beside its place, then there in one step. */
async function writeNew(made: NewPackage, target: string): Promise<void> {
  try {
    await mkdir(dirname(target), {recursive: true})
    const staging = await mkdtemp(join(dirname(target), '.atomctl-init-'))
    try {
      await writeInto(made, staging)
      await chmod(staging, 0o777 & ~process.umask())
      await rename(staging, target)
    } finally {
      await rm(staging, {recursive: true, force: true})
    }
  } catch (error) {
    throw writeFailure(target, error)
  }
}

/** Every file is written out completely before the first is put in place. */
async function writeInto({name, text, files}: NewPackage, target: string): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const staged = [stack.use(await stageFile(join(target, `${name}.wpk.yaml`), text))]
  for (const {path, exec, open} of files) {
    const mode = (exec ? 0o777 : 0o666) & ~process.umask()
    staged.push(stack.use(await stageFile(join(target, path), open(), {mode})))
  }
  for (const file of staged) await file.commit()
}
