import {setTimeout as delay} from 'node:timers/promises'

/** To open a database and launch the engine on a machine that is busy with other tests. */
export const STARTUP_MS = 60_000

/** Polls until `find` answers something; fails after that many seconds with `what`: long, for a busy machine. */
export async function eventually<T>(
  what: string,
  find: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 60,
): Promise<T> {
  for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline;) {
    const found = await find()
    if (found !== undefined && found !== false) return found
    await delay(10)
  }
  throw new Error(`never happened: ${what}`)
}
