import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {type Installed, uninstallCompletion} from '../../lib/completion/installation.ts'
import {type Shell, SHELLS} from '../../lib/completion/reply.ts'
import {uninstallView} from '../../lib/views/completion.ts'

export default class CompletionUninstall extends AtomCommand {
  static override summary = 'Take completion out of your shell again'
  static override description =
    'Removes what "completion install" wrote; your files are then as they were before. Without a shell, for every shell.'
  static override examples = ['<%= config.bin %> completion uninstall', '<%= config.bin %> completion uninstall fish']
  static override args = {
    shell: Args.string({description: 'Shell', options: [...SHELLS], ignoreStdin: true}),
  }

  async run(): Promise<Installed[]> {
    const {args} = await this.parse(CompletionUninstall)
    const shells = args.shell === undefined ? SHELLS : [args.shell as Shell]
    const removed: Installed[] = []
    for (const shell of shells) removed.push(await uninstallCompletion(shell, this.atom.environment))
    return this.emit(uninstallView, args.shell === undefined ? removed.filter(({changed}) => changed) : removed)
  }
}
