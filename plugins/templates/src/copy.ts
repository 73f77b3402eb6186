import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {createWriteStream} from 'node:fs'
import {dirname, join} from 'node:path'
import {pipeline} from 'node:stream/promises'
import type {Template} from './template.ts'

/** Writes a template's package into a new directory of ours, and a note beside that directory. */
export async function writeTemplate(
  {name, document, files}: Template,
  directory: string,
  note: string,
  noteName: string,
): Promise<void> {
  await mkdir(directory, {recursive: true, mode: 0o700})
  await writeFile(join(dirname(directory), noteName), note, {flag: 'wx'})
  await writeFile(join(directory, `${name}.wpk.yaml`), document.bytes, {flag: 'wx'})
  for (const {path, exec, open} of files) {
    const target = join(directory, path)
    await mkdir(dirname(target), {recursive: true})
    await pipeline(open(), createWriteStream(target, {flags: 'wx'}))
    if (exec) await chmod(target, 0o755)
  }
}
