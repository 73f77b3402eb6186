import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {detectShell, type Installed, installCompletion} from '../../lib/completion/installation.ts'
import {type Shell, SHELLS} from '../../lib/completion/reply.ts'
import {installView} from '../../lib/views/completion.ts'

export default class CompletionInstall extends AtomCommand {
  static override summary = 'Set up completion for your shell'
  static override description = `Writes the script, and for bash, zsh and PowerShell three marked lines into the file the shell reads at its start. Done again
it changes nothing; "completion uninstall" takes both away. Without a shell the one in SHELL is meant.`
  static override examples = ['<%= config.bin %> completion install', '<%= config.bin %> completion install zsh']
  static override args = {
    shell: Args.string({description: 'Shell', options: [...SHELLS], ignoreStdin: true}),
  }

  async run(): Promise<Installed[]> {
    const {args} = await this.parse(CompletionInstall)
    const {environment} = this.atom
    const shell = (args.shell as Shell | undefined) ?? detectShell(environment)
    return this.emit(installView, [await installCompletion(shell, environment)])
  }
}
