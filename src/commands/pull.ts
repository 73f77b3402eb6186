import {AtomCommand, registryFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import {downloadPackage, type PulledPackage} from '@atomctl/sdk/download'
import type {SignatureRequirement, VerifiedWorkflow} from '@atomctl/sdk/enforcement'
import {describeFailure} from '@atomctl/sdk/errors'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {pullView} from '../lib/views/pull.ts'

export default class Pull extends AtomCommand {
  static override summary = 'Download a workflow, verified, as a file'
  static override description =
    'What comes is verified against the trust policy before it gets its name; a refused download leaves nothing behind.'
  static override examples = [
    '<%= config.bin %> pull restart-unhealthy-1.0.0',
    '<%= config.bin %> pull restart-unhealthy-1.0.0 --output-file ./restart.wpk.yaml --force',
  ]
  static override args = {
    id: Args.string({description: 'Workflow ID, <name>-<version>', required: true}),
  }
  static override flags = {
    ...registryFlag,
    ...trustPolicyFlag,
    'output-file': Flags.string({
      char: 'O',
      description: 'Where to write it (default: its ID in this directory)',
      helpValue: 'FILE',
    }),
    force: Flags.boolean({char: 'f', description: 'Replace an existing file'}),
  }
  static override signature: SignatureRequirement = {arg: 'id', accepts: 'workflow'}

  async run(): Promise<PulledPackage> {
    const {args, flags} = await this.parse(Pull)
    const workflow = this.verified(args.id) as VerifiedWorkflow
    const pulled = await downloadPackage(workflow, this.atom, {path: flags['output-file'], force: flags.force}).catch(
      (error: unknown) => {
        throw describeFailure('Pull failed', error)
      },
    )
    return this.emit(pullView, pulled)
  }
}
