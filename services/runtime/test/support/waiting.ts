import {setTimeout as delay} from 'node:timers/promises'

/** Polls until `find` answers something; fails after ten seconds with `what`. */
export async function eventually<T>(
  what: string,
  find: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  for (let left = 1000; left > 0; left -= 1) {
    const found = await find()
    if (found !== undefined && found !== false) return found
    await delay(10)
  }
  throw new Error(`never happened: ${what}`)
}
