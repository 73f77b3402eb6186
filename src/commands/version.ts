import {AtomCommand} from '@atomctl/sdk/command'
import * as Flags from '@oclif/core/flags'
import {describeInstallation, type Installation} from '../lib/installation.ts'
import type {UpdateReport} from '../lib/update/report.ts'
import {updateView} from '../lib/views/update.ts'
import {verboseVersionView, versionView} from '../lib/views/version.ts'

export default class Version extends AtomCommand {
  static override summary = 'Show the version and what it runs on'
  static override description = `With --verbose also how it was installed, the commit it was built from, and the plugins and services that are there.
With --check asks the release folder that update_url names whether there is a newer version, and believes it only with a signature
of update_key, or of update_identity and update_issuer. Exit 0 whether there is one or not; 12: another signer, 11: tampered,
7: an older listing than one seen before, 9: no answer.`
  static override examples = [
    '<%= config.bin %> version',
    '<%= config.bin %> version --verbose',
    '<%= config.bin %> version -o json',
    '<%= config.bin %> version --check',
  ]
  static override flags = {check: Flags.boolean({description: 'Ask for a newer version, and verify the answer'})}

  async run(): Promise<Installation | UpdateReport> {
    const {flags} = await this.parse(Version)
    if (flags.check) {
      const {reportUpdate} = await import('../lib/update/report.ts')
      return this.emit(updateView, await reportUpdate(this.atom, describeInstallation(this.config)))
    }
    return this.emit(flags.verbose ? verboseVersionView : versionView, describeInstallation(this.config))
  }
}
