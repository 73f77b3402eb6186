import {AtomCommand, registryFlag} from '@atomctl/sdk/command'
import * as Args from '@oclif/core/args'
import {type Change, compareValues} from '../lib/comparison.ts'
import {readSubject} from '@atomctl/sdk/verification'
import {diffView, type PackageDiff} from '../lib/views/diff.ts'

export default class Diff extends AtomCommand {
  static override summary = 'Show what differs between two packages'
  static override description =
    'Compares what the documents mean, field by field; comments, order and signatures are no difference.'
  static override examples = [
    '<%= config.bin %> diff restart-unhealthy-1.0.0 restart-unhealthy-1.1.0',
    '<%= config.bin %> diff restart-unhealthy-1.0.0 ./restart-unhealthy.wpk.yaml',
  ]
  static override args = {
    from: Args.string({description: 'Workflow ID or file', required: true}),
    to: Args.string({description: 'Workflow ID or file', required: true}),
  }
  static override flags = {...registryFlag}

  async run(): Promise<PackageDiff> {
    const {args} = await this.parse(Diff)
    const [from, to] = await Promise.all([readSubject(args.from, this.atom), readSubject(args.to, this.atom)])
    const changes: Change[] = compareValues(from.document.value, to.document.value).filter(
      ({path}) => path !== 'metadata.signature',
    )
    return this.emit(diffView, {from: args.from, to: args.to, changes})
  }
}
