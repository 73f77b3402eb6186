import {AtomError} from '@atomctl/sdk/errors'
import {closest} from '@atomctl/sdk/suggest'
import type {Hook} from '@oclif/core/hooks'

/** Suggests the nearest command and never runs it; exit 127 (a hook that returned would make it 0). */
const hook: Hook.CommandNotFound = async function ({id, config}) {
  const typed = id.replaceAll(':', ' ')
  const known = config.commands.filter(({hidden}) => !hidden).map((command) => command.id.replaceAll(':', ' '))
  const nearest = closest(typed, known)
  const error = new AtomError('COMMAND_NOT_FOUND', `there is no command ${JSON.stringify(typed)}`, {
    hint: nearest ? `did you mean: atomctl ${nearest}` : 'atomctl help',
  })
  this.error(error, {exit: 127})
}

export default hook
