import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {fileURLToPath} from 'node:url'

const HOLDER = fileURLToPath(new URL('holder.ts', import.meta.url))
const SOURCES = new URL('../../../../scripts/sources.mjs', import.meta.url).href

export interface ServerProcess {
  readonly url: string
  /** Bytes. */
  peakMemory(): Promise<number>
  /** `SIGKILL` leaves it no chance to tidy up. */
  kill(signal: NodeJS.Signals): Promise<void>
}

/** A registry in a process of its own over the data in a directory, or in the PostgreSQL database of a URL. */
export async function spawnServer(place: string, policyFile: string): Promise<ServerProcess> {
  const argv = ['--import', SOURCES, HOLDER, place, policyFile]
  const child: ChildProcess = spawn(process.execPath, argv, {stdio: ['ignore', 'pipe', 'inherit', 'ipc']})
  const started = child.stdout ? once(child.stdout, 'data') : undefined
  const [line] = (await Promise.race([started, failure(child)])) as [Buffer]
  return {
    url: line.toString().trim(),
    async peakMemory() {
      const answer = once(child, 'message')
      child.send('memory')
      return ((await answer) as [number])[0]
    },
    async kill(signal) {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exit = once(child, 'exit')
      child.kill(signal)
      await exit
    },
  }
}

async function failure(child: ChildProcess): Promise<never> {
  const [code] = (await once(child, 'exit')) as [number | null]
  throw new Error(`the registry ended with ${code} before it served`)
}
