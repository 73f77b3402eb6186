import {AtomCommand} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import {checkHealth} from '../../health.ts'
import {layoutOf} from '../../layout.ts'
import {readResidentBytes} from '../../process.ts'
import {readRunningState, type ServicesState} from '../../state.ts'
import {type DevStatus, type ServiceHealth, statusView} from '../../views.ts'

export default class DevStatusCommand extends AtomCommand {
  static override summary = 'Show the registry and the runtime in the background'
  static override description = 'Exits with 6 when they do not run.'
  static override examples = ['<%= config.bin %> dev status', '<%= config.bin %> dev status -o json']

  async run(): Promise<DevStatus> {
    await this.parse(DevStatusCommand)
    const layout = layoutOf(this.atom.environment)
    const state = await readRunningState(layout.stateFile)
    if (!state) {
      const error = new AtomError('NOT_FOUND', 'the services do not run', {hint: 'atomctl dev up'})
      return this.emitFailure(statusView, {running: false, services: []}, error)
    }
    const [services, rss] = await Promise.all([checkServices(state), readResidentBytes(state.pid)])
    return this.emit(statusView, {
      running: true,
      pid: state.pid,
      version: state.version,
      ready_at: state.ready_at,
      data_directory: state.data_directory,
      log: layout.logFile,
      ...(rss === undefined ? {} : {rss_bytes: rss}),
      services,
    })
  }
}

function checkServices({pid, registry_url: registry, runtime_url: runtime}: ServicesState): Promise<ServiceHealth[]> {
  const services = [
    ['registry', registry],
    ['runtime', runtime],
  ] as const
  return Promise.all(services.map(async ([name, url]) => ({name, url, pid, health: await checkHealth(url)})))
}
