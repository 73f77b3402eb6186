import {AtomCommand} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {createContext} from '../../lib/contexts.ts'
import {readToken} from '../../lib/token-input.ts'
import {contextChangeView} from '../../lib/views/context.ts'

export default class ContextCreate extends AtomCommand {
  static override summary = 'Add a named target'
  static override description = `A context holds the URLs and the token of one environment. In a protected one, commands that change something ask for
--confirm NAME. What a context leaves out comes from the other settings; a token goes only to the URLs it was written with.`
  static override examples = [
    '<%= config.bin %> context create staging --registry-url https://registry.staging.example.com --runtime-url https://runtime.staging.example.com',
    '<%= config.bin %> context create prod --registry-url https://registry.example.com --auth-token - --protected < token-file',
  ]
  static override args = {
    name: Args.string({description: 'Name of the context', required: true, ignoreStdin: true}),
  }
  static override flags = {
    'registry-url': Flags.string({description: 'Its registry', helpValue: 'URL'}),
    'runtime-url': Flags.string({description: 'Its runtime', helpValue: 'URL'}),
    'auth-token': Flags.string({description: 'Its token; - reads it from standard input', helpValue: 'TOKEN'}),
    protected: Flags.boolean({description: 'Ask for its name before anything is changed there'}),
    use: Flags.boolean({description: 'Use it from now on'}),
    force: Flags.boolean({description: 'Replace a context of this name'}),
  }

  async run(): Promise<{name: string}> {
    const {args, flags} = await this.parse(ContextCreate)
    const token = flags['auth-token'] === undefined ? undefined : await readToken(flags['auth-token'], this.interactive)
    const context = {
      registryUrl: flags['registry-url'],
      runtimeUrl: flags['runtime-url'],
      token,
      protected: flags.protected,
    }
    await createContext(this.atom, args.name, context, {force: flags.force, use: flags.use})
    return this.emit(contextChangeView(flags.use ? 'created and in use' : 'created'), {name: args.name})
  }
}
