import {AtomCommand} from '@atomctl/sdk/command'
import {stopDaemon} from '../../daemon.ts'
import {layoutOf} from '../../layout.ts'
import {readRunningState} from '../../state.ts'
import {type Stopped, stoppedView} from '../../views.ts'

export default class DevDown extends AtomCommand {
  static override summary = 'Stop the registry and the runtime in the background'
  static override description =
    'Running executions get a few seconds; what is left of them is resumed by the next dev up. Data stays.'
  static override examples = ['<%= config.bin %> dev down']

  async run(): Promise<Stopped> {
    await this.parse(DevDown)
    const layout = layoutOf(this.atom.environment)
    const state = await readRunningState(layout.stateFile)
    if (!state) return this.emit(stoppedView, {stopped: false, forced: false})
    const {forced} = await stopDaemon(state, layout)
    return this.emit(stoppedView, {stopped: true, pid: state.pid, forced})
  }
}
