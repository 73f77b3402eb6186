import {userConfigurationPath} from '@atomctl/sdk/config'
import {AtomCommand} from '@atomctl/sdk/command'
import type {View} from '@atomctl/sdk/output'

const view: View<{path: string}> = {
  kind: 'ConfigurationPath',
  text: ({path}) => path,
  names: ({path}) => [path],
}

export default class ConfigPath extends AtomCommand {
  static override summary = "Print the path of the user's configuration file"
  static override examples = ['<%= config.bin %> config path']

  async run(): Promise<{path: string}> {
    await this.parse(ConfigPath)
    return this.emit(view, {path: userConfigurationPath(this.atom.environment)})
  }
}
