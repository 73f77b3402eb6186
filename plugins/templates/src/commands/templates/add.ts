import {AtomCommand, registryFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {requireName} from '../../names.ts'
import {openTemplate} from '../../open.ts'
import {shippedNames} from '../../shipped.ts'
import {TemplateStore} from '../../store.ts'
import {addView, type KeptTemplate} from '../../views.ts'

export default class TemplatesAdd extends AtomCommand {
  static override summary = 'Keep a package as a template of your own'
  static override description = `SOURCE is a document, a directory with one document and its files, a git URL (https, ssh or file; URL#REF:PATH names
a branch or tag and a path in it) or a workflow ID, which is verified against the trust policy. A copy is kept in ~/.atomctl/templates.`
  static override examples = [
    '<%= config.bin %> templates add ./runbooks/restart-payments.wpk.yaml',
    '<%= config.bin %> templates add https://git.example.com/platform/runbooks.git#v2:drain --name drain',
    '<%= config.bin %> templates add restart-unhealthy-1.0.0 --name restart-unhealthy',
  ]
  static override args = {
    source: Args.string({description: 'File, directory, git URL or workflow ID', required: true, ignoreStdin: true}),
  }
  static override flags = {
    ...registryFlag,
    ...trustPolicyFlag,
    name: Flags.string({description: 'Name of the template (default: that of its package)', helpValue: 'NAME'}),
    force: Flags.boolean({char: 'f', description: 'Replace a template of this name'}),
  }

  async run(): Promise<KeptTemplate> {
    const {args, flags} = await this.parse(TemplatesAdd)
    await using open = await openTemplate(args.source, this.atom)
    const {template} = open
    const name = requireName(flags.name ?? template.document.name, 'template')
    if ((await shippedNames()).includes(name)) {
      throw new AtomError('USAGE', `${name} is the name of a template that comes with atomctl`, {
        hint: `add --name my-${name}`,
      })
    }
    const {environment, interruption} = this.atom
    await interruption.defer(() => new TemplateStore(environment).add({...template, name}, name, flags.force))
    return await this.emit(addView, {name, source: template.source})
  }
}
