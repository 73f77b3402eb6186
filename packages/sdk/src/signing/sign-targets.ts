import {stat} from 'node:fs/promises'
import {AtomError} from '../errors.ts'
import {expandFiles, inputFailure, readHead} from '../files/index.ts'

/**
 * The files to sign: patterns expanded, a directory kept as the package it is.
 * @throws INPUT_MISSING, INPUT_UNREADABLE, USAGE for what cannot carry a signature inside
 */
export async function signTargets(names: readonly string[], detached: boolean): Promise<string[]> {
  const targets = new Set<string>()
  for (const name of names) for (const path of await expandTarget(name, detached)) targets.add(path)
  return [...targets]
}

async function expandTarget(name: string, detached: boolean): Promise<string[]> {
  if (name === '-') throw new AtomError('USAGE', 'sign changes a file, which it cannot do to standard input')
  const info = await stat(name).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw inputFailure(name, error)
  })
  if (!info) return expandFiles([name])
  if (detached && !info.isFile()) throw new AtomError('INPUT_UNREADABLE', `${name} is no regular file`)
  if (!detached && info.isFile()) await refuseArchive(name)
  return [name]
}

async function refuseArchive(path: string): Promise<void> {
  const [{isArchive}, head] = await Promise.all([import('@atomctl/wpk/archive'), readHead(path)])
  if (!isArchive(head)) return
  throw new AtomError('USAGE', `${path} is a tarball: its document is signed before it is packed`, {
    hint: `atomctl pack FILE --sign, or for the tarball's own bytes: atomctl sign --detached ${path}`,
  })
}
