import {appendFile} from 'node:fs/promises'
import {getContext} from '@atomctl/sdk/context'
import type {Hook} from '@oclif/core/hooks'

/** After every command: one line in the file that FLEET_AUDIT names. What fails in here must not fail the command. */
const hook: Hook.Postrun = async function ({Command, config}) {
  const file = getContext(config).environment['FLEET_AUDIT']
  if (file) await appendFile(file, `${Command.id}\n`).catch((error: Error) => this.warn(`fleet: ${error.message}`))
}

export default hook
