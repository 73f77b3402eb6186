import * as Flags from '@oclif/core/flags'
import {registryPortFlag, runtimePortFlag, ServeCommand, servingFlags} from '../../serving.ts'
import {removeState, writeState} from '../../state.ts'
import type {Served} from '../../views.ts'

export default class ServeAll extends ServeCommand {
  static override summary = 'Run the registry and the runtime in one process'
  static override description = `Both use one database: the embedded one in --data-dir, or PostgreSQL when DATABASE_URL is set and --data-dir is not.
The first SIGINT or SIGTERM lets running executions go on for a few seconds and leaves the rest to the next start; a second one ends at once.`
  static override examples = [
    '<%= config.bin %> serve all',
    '<%= config.bin %> serve all --registry-port 0 --runtime-port 0 -o json',
    '<%= config.bin %> serve all --host 0.0.0.0 --token-file tokens',
  ]
  static override flags = {
    ...registryPortFlag,
    ...runtimePortFlag,
    ...servingFlags,
    'data-dir': Flags.string({description: 'Directory of the embedded database', helpValue: 'DIR'}),
    'state-file': Flags.string({description: 'Where to say that the services are ready', hidden: true}),
  }

  async run(): Promise<Served> {
    const {flags} = await this.parse(ServeAll)
    const ports = {registry: flags['registry-port'], runtime: flags['runtime-port']}
    const stateFile = flags['state-file']
    return this.serve(ports, flags, this.storageOf(flags['data-dir']), {
      onReady: async (served) => {
        if (stateFile !== undefined) await writeState(stateFile, stateOf(served))
      },
      onEnd: async () => {
        if (stateFile !== undefined) await removeState(stateFile, process.pid)
      },
    })
  }
}

function stateOf({registry_url: registry = '', runtime_url: runtime = '', storage, version}: Served) {
  return {registry_url: registry, runtime_url: runtime, data_directory: storage, version}
}
