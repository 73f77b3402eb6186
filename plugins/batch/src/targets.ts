import {readdir, stat} from 'node:fs/promises'
import {basename, dirname, sep} from 'node:path'
import {AtomError} from '@atomctl/sdk/errors'
import {expandFiles, readInput} from '@atomctl/sdk/files'
import {isFileReference, parseWorkflowId} from '@atomctl/sdk/packages'
import type {Task} from './item.ts'
import {readManifest} from './manifest.ts'

const LIST_LIMIT = 64 << 20

/**
 * What an operation takes: `document` files, `package`s (of a directory that holds one document and further files,
 * the whole directory), or packages and `workflow` IDs.
 */
export type TargetKind = 'document' | 'package' | 'workflow'

export interface TargetOptions {
  readonly kind: TargetKind
  readonly manifest?: string | undefined
}

/**
 * The packages that the command line, a list on standard input (`-`) and a manifest name, each once, in order. Nothing
 * is begun when one of them is missing.
 * @throws INPUT_MISSING, INPUT_UNREADABLE, CONFIG_INVALID, USAGE when nothing is named
 */
export async function gatherTasks(names: readonly string[], {kind, manifest}: TargetOptions): Promise<Task[]> {
  const named: Task[] = []
  for (const name of names) named.push(...(name === '-' ? await readList() : [{subject: name}]))
  if (manifest !== undefined) named.push(...(await readManifest(manifest)))
  if (named.length === 0) {
    throw new AtomError('USAGE', 'no package is named', {hint: 'name files, directories or patterns, - or --manifest'})
  }
  const tasks = new Map<string, Task>()
  for (const task of named) {
    for (const subject of await expand(task.subject, kind))
      if (!tasks.has(subject)) tasks.set(subject, {...task, subject})
  }
  return [...tasks.values()]
}

/** One name a line, or separated by NUL as `find -print0` writes them. */
async function readList(): Promise<Task[]> {
  const text = new TextDecoder().decode(await readInput('-', LIST_LIMIT))
  const names = text.split(text.includes('\0') ? '\0' : /\r?\n/)
  return names.filter((name) => name.trim() !== '' && name !== '-').map((subject) => ({subject}))
}

async function expand(name: string, kind: TargetKind): Promise<string[]> {
  if (kind === 'workflow' && parseWorkflowId(name) && !isFileReference(name)) return [name]
  const files = await expandFiles([name])
  if (kind === 'document' || !(await isDirectory(name))) return files
  const below = countBelow(files)
  return Promise.all(files.map(async (file) => (below.get(dirname(file)) === 1 ? packageOf(file) : file)))
}

/** How many documents each directory holds, at any depth: packages do not nest. */
function countBelow(documents: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const document of documents) {
    let path = document
    while (dirname(path) !== path) {
      path = dirname(path)
      counts.set(path, (counts.get(path) ?? 0) + 1)
    }
  }
  return counts
}

/** The directory of the only document in it, where there are files for the package beside it; else the document. */
async function packageOf(document: string): Promise<string> {
  if (!document.endsWith('.wpk.yaml')) return document
  const directory = dirname(document)
  const [names, {isLeftOut}] = await Promise.all([readdir(directory), import('@atomctl/wpk/archive')])
  const others = names.filter((name) => name !== basename(document) && !name.startsWith('.') && !isLeftOut(name))
  if (others.length === 0) return document
  // a directory that is called like a workflow ID must not be taken for one
  return parseWorkflowId(directory) ? `.${sep}${directory}` : directory
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  )
}
