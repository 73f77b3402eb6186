import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {detectShell} from '../../lib/completion/installation.ts'
import {type Shell, SHELLS} from '../../lib/completion/reply.ts'
import {SCRIPTS} from '../../lib/completion/shells/index.ts'
import {type CompletionScript, scriptView} from '../../lib/views/completion.ts'

export default class Completion extends AtomCommand {
  static override summary = 'Print the completion script of a shell'
  static override description = `"completion install" sets it up for good. The script asks atomctl at every TAB: for commands, flags and their values, workflow
IDs of the registry, executions of the runtime, contexts, templates and the parameters of the package that is to run. Without
a shell the one in SHELL is meant.`
  static override examples = [
    '<%= config.bin %> completion install',
    'source <(<%= config.bin %> completion bash)',
    '<%= config.bin %> completion zsh > ~/.zsh/completions/_atomctl',
    '<%= config.bin %> completion fish | source',
    '<%= config.bin %> completion powershell | Out-String | Invoke-Expression',
  ]
  // oclif's own completion had this name
  static override hiddenAliases = ['autocomplete']
  static override args = {
    shell: Args.string({description: 'Shell', options: [...SHELLS], ignoreStdin: true}),
  }

  async run(): Promise<CompletionScript> {
    const {args} = await this.parse(Completion)
    const shell = (args.shell as Shell | undefined) ?? detectShell(this.atom.environment)
    return this.emit(scriptView, {shell, script: SCRIPTS[shell]})
  }
}
