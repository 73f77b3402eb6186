import {AtomCommand} from '@atomctl/sdk/command'
import * as Flags from '@oclif/core/flags'
import {type Departure, leave} from '../lib/login/leave.ts'
import {logoutView} from '../lib/views/login.ts'

export default class Logout extends AtomCommand {
  static override summary = 'Remove the token of a login'
  static override description =
    'Removes it from the keychain and the file, and has its issuer revoke it where that is possible; says where it is not.'
  static override examples = ['<%= config.bin %> logout', '<%= config.bin %> logout --all']
  static override flags = {
    all: Flags.boolean({description: 'The logins of every context'}),
  }

  async run(): Promise<Departure[]> {
    const {flags} = await this.parse(Logout)
    const departures = await leave(this.atom, flags.all, (line) => this.warn(line))
    const setting = this.atom.configuration.get('auth_token')
    if (setting) this.warn(`the token in ${setting.origin.where} stays: it is not of a login`)
    return this.emit(logoutView, departures)
  }
}
