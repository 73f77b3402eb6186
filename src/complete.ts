import {readFileSync, writeFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'
import {processEnvironment} from '@atomctl/sdk/config'
import {offerFor} from './lib/completion/candidates.ts'
import {readInventory} from './lib/completion/inventory.ts'
import {type Shell, SHELLS, writeReply} from './lib/completion/reply.ts'
import {valueFinder} from './lib/completion/values.ts'
import {type Line, readLine} from './lib/completion/words.ts'

const STDOUT = 1

/**
 * `atomctl __complete SHELL …`, which the completion scripts call at every TAB: the whole process must be faster than a
 * person notices, so it reads manifests and kept answers and loads no command, no plugin and no oclif. bash gives its
 * line up to the cursor and COMP_WORDBREAKS; the others the words before the cursor's, and that one behind an equals
 * sign. Whatever goes wrong, it prints nothing: nobody asked for anything.
 */
export async function complete(argv: readonly string[], root: URL): Promise<void> {
  try {
    const [name, ...rest] = argv
    const shell = SHELLS.find((known) => known === name)
    // not process.stdout, which loads Node's streams and sockets for one short write
    if (shell) writeFileSync(STDOUT, await answer(shell, rest, root))
  } catch {
    // a broken installation or configuration shows itself when a command runs
  }
}

async function answer(shell: Shell, argv: readonly string[], root: URL): Promise<string> {
  const environment = processEnvironment()
  const line = shell === 'bash' ? bashLine(argv) : wordsLine(argv, shell)
  const inventory = readInventory(fileURLToPath(root), environment)
  const {version} = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {version: string}
  const findValues = valueFinder(inventory, {environment, directory: process.cwd(), version})
  const offer = await offerFor(line.words, line.current, inventory, findValues)
  return writeReply(offer, line, shell)
}

function bashLine([text = '', breaks = '']: readonly string[]): Line {
  const {words, ...rest} = readLine(text, breaks)
  return {words: words.slice(1), ...rest}
}

function wordsLine(argv: readonly string[], shell: Shell): Line {
  const typed = (argv.at(-1) ?? '').slice(1)
  // fish gives the word as it stands there, with its quotes
  const current = shell === 'fish' ? readLine(typed).current : typed
  return {words: argv.slice(0, -1), current, quote: '', kept: ''}
}
