import {AtomCommand} from '@atomctl/sdk/command'
import {describeInstallation, type Installation} from '../lib/installation.ts'
import {verboseVersionView, versionView} from '../lib/views/version.ts'

export default class Version extends AtomCommand {
  static override summary = 'Show the version and what it runs on'
  static override description =
    'With --verbose also how it was installed, the commit it was built from, and the plugins and services that are there.'
  static override examples = [
    '<%= config.bin %> version',
    '<%= config.bin %> version --verbose',
    '<%= config.bin %> version -o json',
  ]

  async run(): Promise<Installation> {
    const {flags} = await this.parse(Version)
    return this.emit(flags.verbose ? verboseVersionView : versionView, describeInstallation(this.config))
  }
}
