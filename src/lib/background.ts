import {closeSync, mkdirSync, openSync, rmSync, statSync} from 'node:fs'
import {dirname} from 'node:path'
import type {Environment} from '@atomctl/sdk/config'

/** The mark of work under way on a file: only one process does it at a time. */
export const markOf = (path: string): string => `${path}.refreshing`

/** Leaves the mark; false where another process has it, unless that is older than so many milliseconds and counts as dead. */
export function claim(path: string, abandoned: number): boolean {
  const mark = markOf(path)
  try {
    mkdirSync(dirname(path), {recursive: true, mode: 0o700})
    if (Date.now() - (modifiedAt(mark) ?? Date.now()) > abandoned) rmSync(mark, {force: true})
    closeSync(openSync(mark, 'wx', 0o600))
    return true
  } catch {
    return false
  }
}

/**
 * Starts atomctl again, with these words, as a process that nobody waits for and that prints nothing. It removes the
 * mark of `path` when it is done; here only where it could not be started.
 */
export function startDetached(
  words: readonly string[],
  path: string,
  {environment, directory}: {readonly environment: Environment; readonly directory: string},
): void {
  const {DEBUG: _, ...rest} = environment
  // loaded only when there is something to start: completion asks this module at every TAB
  const {spawn} = process.getBuiltinModule('node:child_process')
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...words], {
    cwd: directory,
    detached: true,
    env: {...rest, CI: '1'},
    stdio: 'ignore',
    windowsHide: true,
  })
  child.on('error', () => rmSync(markOf(path), {force: true}))
  child.unref()
}

/** When a file was last changed (milliseconds since 1970); undefined when there is none. */
export function modifiedAt(path: string): number | undefined {
  try {
    return statSync(path).mtimeMs
  } catch {
    return undefined
  }
}
