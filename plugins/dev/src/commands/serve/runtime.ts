import {runtimePortFlag, ServeCommand, servingFlags} from '../../serving.ts'
import type {Served} from '../../views.ts'

export default class ServeRuntime extends ServeCommand {
  static override summary = 'Run the runtime alone, on PostgreSQL'
  static override description =
    'DATABASE_URL names the database; any number of registries and runtimes may share it. The embedded database serves one process only: that is serve all.'
  static override examples = ['DATABASE_URL=postgresql://atom@db/atom <%= config.bin %> serve runtime']
  static override flags = {...runtimePortFlag, ...servingFlags}

  async run(): Promise<Served> {
    const {flags} = await this.parse(ServeRuntime)
    return this.serve({runtime: flags['runtime-port']}, flags, this.requireDatabaseUrl())
  }
}
