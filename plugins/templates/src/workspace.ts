import {rmSync} from 'node:fs'
import {mkdtemp, rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

/** A private directory for what is fetched; it is gone when disposed, and after Ctrl-C too. */
export interface Workspace extends AsyncDisposable {
  readonly directory: string
}

export async function openWorkspace(): Promise<Workspace> {
  const directory = await mkdtemp(join(tmpdir(), 'atomctl-template-'))
  const removeNow = (): void => rmSync(directory, {recursive: true, force: true})
  process.once('exit', removeNow)
  return {
    directory,
    async [Symbol.asyncDispose]() {
      process.removeListener('exit', removeNow)
      await rm(directory, {recursive: true, force: true})
    },
  }
}
