import {AtomCommand} from '@atomctl/sdk/command'
import {describeInstallation, type Installation} from '../lib/installation.ts'
import {versionView} from '../lib/views/version.ts'

export default class Version extends AtomCommand {
  static override summary = 'Show the version and what it runs on'
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version -o json']

  async run(): Promise<Installation> {
    await this.parse(Version)
    return this.emit(versionView, describeInstallation(this.config))
  }
}
