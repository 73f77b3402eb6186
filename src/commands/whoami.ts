import {AtomCommand, registryFlag, runtimeFlag} from '@atomctl/sdk/command'
import {describeIdentity, type ServiceIdentity} from '../lib/login/identity.ts'
import {whoamiView} from '../lib/views/login.ts'

export default class Whoami extends AtomCommand {
  static override summary = 'Show whom the registry and the runtime take you for'
  static override description =
    'Asks the services, where they can say; and shows what is known here: subject, issuer, end and place of the token, never the token.'
  static override examples = ['<%= config.bin %> whoami', '<%= config.bin %> whoami -o json']
  static override flags = {...registryFlag, ...runtimeFlag}

  async run(): Promise<ServiceIdentity[]> {
    await this.parse(Whoami)
    return this.emit(whoamiView, await describeIdentity(this.atom, (line) => this.warn(line)))
  }
}
