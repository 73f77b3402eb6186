import {resolve} from 'node:path'
import {createInterface} from 'node:readline/promises'
import {AtomCommand} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import * as Flags from '@oclif/core/flags'
import {stopDaemon} from '../../daemon.ts'
import {layoutOf} from '../../layout.ts'
import {deleteData} from '../../reset.ts'
import {readRunningState} from '../../state.ts'
import {type Reset, resetView} from '../../views.ts'

export default class DevReset extends AtomCommand {
  static override summary = 'Stop the background services and delete their data'
  static override description =
    'Deletes every package pushed to them and every execution. Keys, the trust policy and the configuration stay.'
  static override examples = ['<%= config.bin %> dev reset --yes']
  static override flags = {
    yes: Flags.boolean({char: 'y', description: 'Do not ask'}),
    'data-dir': Flags.string({description: 'Directory to clear, if dev up was told another one', helpValue: 'DIR'}),
  }

  async run(): Promise<Reset> {
    const {flags} = await this.parse(DevReset)
    const layout = layoutOf(this.atom.environment)
    const state = await readRunningState(layout.stateFile)
    const directory = resolve(flags['data-dir'] ?? state?.data_directory ?? layout.dataDirectory)
    if (!flags.yes) await this.#confirm(`Delete all packages and executions in ${directory}?`)
    if (state) await stopDaemon(state, layout)
    await deleteData(directory)
    return this.emit(resetView, {data_directory: directory, stopped: state !== undefined})
  }

  async #confirm(question: string): Promise<void> {
    if (!this.interactive) {
      throw new AtomError('INPUT_REQUIRED', `${question} There is no terminal to ask on`, {hint: 'add --yes'})
    }
    const prompt = createInterface({input: process.stdin, output: process.stderr})
    try {
      if (/^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim())) return
    } finally {
      prompt.close()
    }
    throw new AtomError('INTERRUPTED', 'nothing was deleted')
  }
}
