import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {AtomError} from '@atomctl/sdk/errors'
import type {Interfaces} from '@oclif/core'
import type {Hook} from '@oclif/core/hooks'
import {meantCommand} from '../../lib/meant-command.ts'

/** Suggests the nearest command and never runs it; exit 127 (a hook that returned would make it 0). */
const hook: Hook.CommandNotFound = async function ({id, config}) {
  const words = id.split(':')
  const error = new AtomError('COMMAND_NOT_FOUND', `there is no command ${JSON.stringify(words.join(' '))}`, {
    hint: hintOf(meantCommand(words, await knownCommands(config))),
  })
  this.error(error, {exit: 127})
}

// A topic that is a command as well was loaded alone for speed (load-options.ts): the manifest has those beside it.
async function knownCommands({commands, root}: Interfaces.Config): Promise<string[][]> {
  const loaded = commands.filter(({hidden}) => !hidden).map(({id}) => id)
  return [...loaded, ...(await shippedCommands(root))].map((id) => id.split(':'))
}

async function shippedCommands(root: string): Promise<string[]> {
  try {
    const manifest = JSON.parse(await readFile(join(root, 'oclif.manifest.json'), 'utf8')) as Interfaces.Manifest
    return Object.values(manifest.commands).flatMap(({id, hidden}) => (hidden ? [] : [id]))
  } catch {
    return [] // run from the sources: then every command was loaded
  }
}

function hintOf(meant: ReturnType<typeof meantCommand>): string {
  if (!meant) return 'atomctl help'
  const {words, complete} = meant
  return complete ? `did you mean: atomctl ${words.join(' ')}` : `atomctl help ${words.join(' ')}`
}

export default hook
