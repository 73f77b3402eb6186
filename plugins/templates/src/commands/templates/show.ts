import {AtomCommand, registryFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {openTemplate} from '../../open.ts'
import {detailOf, showView, type TemplateDetail} from '../../views.ts'

export default class TemplatesShow extends AtomCommand {
  static override summary = 'Show what a template does and which parameters it takes'
  static override description = 'With -o wide the document itself follows.'
  static override examples = [
    '<%= config.bin %> templates show restart',
    '<%= config.bin %> templates show ./runbooks/restart.wpk.yaml -o wide',
  ]
  static override args = {
    template: Args.string({
      description: 'Name, file, directory, git URL or workflow ID',
      required: true,
      ignoreStdin: true,
    }),
  }
  static override flags = {...registryFlag, ...trustPolicyFlag}

  async run(): Promise<TemplateDetail> {
    const {args} = await this.parse(TemplatesShow)
    await using open = await openTemplate(args.template, this.atom)
    return await this.emit(showView, detailOf(open.template))
  }
}
