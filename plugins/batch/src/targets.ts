import {readdir, stat} from 'node:fs/promises'
import {basename, dirname} from 'node:path'
import {AtomError} from '@atomctl/sdk/errors'
import {expandFiles, readInput} from '@atomctl/sdk/files'
import {isFileReference, parseWorkflowId} from '@atomctl/sdk/packages'
import type {Task} from './item.ts'
import {readManifest} from './manifest.ts'

const LIST_LIMIT = 64 << 20

/**
 * What an operation takes: `document` files, `package` sources (a directory with one document and further files is
 * one piece), or `workflow` IDs beside files.
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
  if (kind !== 'package' || !(await isDirectory(name))) return files
  return [...new Set(await Promise.all(files.map(packageOf)))]
}

/** The directory, where the document is the only one and has files beside it; else the document. */
async function packageOf(document: string): Promise<string> {
  const directory = dirname(document)
  const entries = (await readdir(directory)).filter((name) => !/^\.|\.wpk\.tar\.gz(\.sigstore\.json)?$/.test(name))
  const documents = entries.filter((name) => name.endsWith('.wpk.yaml'))
  return documents.length === 1 && documents[0] === basename(document) && entries.length > 1 ? directory : document
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  )
}
