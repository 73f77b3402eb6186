import {registryPortFlag, ServeCommand, servingFlags} from '../../serving.ts'
import type {Served} from '../../views.ts'

export default class ServeRegistry extends ServeCommand {
  static override summary = 'Run the registry alone, on PostgreSQL'
  static override description =
    'DATABASE_URL names the database; any number of registries and runtimes may share it. The embedded database serves one process only: that is serve all.'
  static override examples = ['DATABASE_URL=postgresql://atom@db/atom <%= config.bin %> serve registry']
  static override flags = {...registryPortFlag, ...servingFlags}

  async run(): Promise<Served> {
    const {flags} = await this.parse(ServeRegistry)
    return this.serve({registry: flags['registry-port']}, flags, this.requireDatabaseUrl())
  }
}
