import {AtomCommand, registryFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {describePackage, type PackageDescription} from '../lib/description.ts'
import {readSubject} from '@atomctl/sdk/verification'
import {inspectView} from '../lib/views/inspect.ts'

export default class Inspect extends AtomCommand {
  static override summary = 'Show what a workflow is, does, and who signed it'
  static override examples = [
    '<%= config.bin %> inspect restart-unhealthy-1.0.0',
    '<%= config.bin %> inspect ./restart-unhealthy.wpk.yaml -o json',
  ]
  static override args = {
    workflow: Args.string({description: 'Workflow ID in the registry, or a file', required: true}),
  }
  static override flags = {...registryFlag, ...trustPolicyFlag}
  static override completion = {args: {workflow: 'workflow|package'}}

  async run(): Promise<PackageDescription> {
    const {args} = await this.parse(Inspect)
    const subject = await readSubject(args.workflow, this.atom)
    return this.emit(inspectView, await describePackage(subject, this.atom))
  }
}
