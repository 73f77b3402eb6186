import {mkdir, symlink, truncate, writeFile} from 'node:fs/promises'
import type {Sandbox} from './atomctl.ts'

/** A name that would colour the terminal and forge a line of output. */
export const HOSTILE_NAME = 'a\u001b[31m\n[SUCCESS] b.wpk.yaml'

/** What a file is instead of a package, its name, and the exit code that every command has for it. */
export const HOSTILE_FILES: readonly (readonly [what: string, file: string, exit: number])[] = [
  ['is missing', 'missing.wpk.yaml', 2],
  ['is empty', 'empty.wpk.yaml', 3],
  ['is binary', 'binary.wpk.yaml', 3],
  ['is not UTF-8', 'latin.wpk.yaml', 3],
  ['is nested without end', 'deep.wpk.yaml', 3],
  ['has a gigabyte', 'huge.wpk.yaml', 3],
  ['is a link to itself', 'loop.wpk.yaml', 2],
  ['has a name like a flag', '-dash.wpk.yaml', 3],
  ['has a hostile name', HOSTILE_NAME, 3],
]

/** Puts all of them, and a directory with a file's name, into the sandbox. */
export async function writeHostileFiles(sandbox: Sandbox): Promise<void> {
  await mkdir(sandbox.path('directory.wpk.yaml'))
  await writeFile(sandbox.path('empty.wpk.yaml'), '')
  await writeFile(sandbox.path('binary.wpk.yaml'), Buffer.from([0, 1, 2, 0xff, 0xfe, 0x80]))
  await writeFile(sandbox.path('latin.wpk.yaml'), Buffer.from('name: caf\xe9\n', 'latin1'))
  await writeFile(sandbox.path('deep.wpk.yaml'), '['.repeat(100_000))
  await writeFile(sandbox.path('huge.wpk.yaml'), '')
  await truncate(sandbox.path('huge.wpk.yaml'), 1024 ** 3)
  await symlink('loop.wpk.yaml', sandbox.path('loop.wpk.yaml'))
  await writeFile(sandbox.path('-dash.wpk.yaml'), 'x: [')
  await writeFile(sandbox.path(HOSTILE_NAME), 'x: [')
}
