import {glob, readdir, stat} from 'node:fs/promises'
import {join} from 'node:path'
import {AtomError} from '@atomctl/wpk/errors'
import {inputFailure, missingInput} from './read.ts'

/** What a directory stands for: the packages below it, or their tests. */
const KINDS = {
  package: {form: /\.wpk\.ya?ml$/, name: '*.wpk.yaml'},
  test: {form: /\.wpktest\.ya?ml$/, name: '*.wpktest.yaml'},
} as const
type Kind = keyof typeof KINDS

/**
 * The files that file arguments name, in order, without repeats: a file is itself, a directory every `*.wpk.yaml` (or
 * every test) below it, a pattern what it matches (the shell of Windows expands none), `-` standard input.
 * @throws INPUT_MISSING naming the argument that matches nothing.
 */
export async function expandFiles(paths: readonly string[], kind: Kind = 'package'): Promise<string[]> {
  const found = new Set<string>()
  for (const path of paths) for (const file of await expand(path, kind)) found.add(file)
  return [...found]
}

async function expand(path: string, kind: Kind): Promise<string[]> {
  if (path === '-') return [path]
  const info = await stat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw inputFailure(path, error)
  })
  if (info?.isDirectory()) return documentsIn(path, kind)
  if (info) return [path]
  if (/[*?[{]/.test(path)) return matches(path)
  throw missingInput(path)
}

async function documentsIn(directory: string, kind: Kind): Promise<string[]> {
  const {form, name} = KINDS[kind]
  const entries = await readdir(directory, {recursive: true, withFileTypes: true}).catch((error: unknown) => {
    throw inputFailure(directory, error)
  })
  const files = entries
    .filter((entry) => entry.isFile() && form.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('node_modules'))
    .toSorted()
  if (files.length > 0) return files
  throw new AtomError('INPUT_MISSING', `${directory} holds no ${name} file`, {
    hint: 'name a file, or another directory',
  })
}

async function matches(pattern: string): Promise<string[]> {
  const files: string[] = []
  for await (const file of glob(pattern)) files.push(file)
  if (files.length > 0) return files.toSorted()
  throw new AtomError('INPUT_MISSING', `nothing matches ${pattern}`, {
    hint: 'check the pattern and the working directory',
  })
}
