import {availableParallelism} from 'node:os'
import * as Flags from '@oclif/core/flags'
import {batchArgs, BatchCommand, batchFlags} from '../../batch-command.ts'
import type {BatchReport} from '../../item.ts'
import {checkInThreads} from '../../validation/pool.ts'

export default class BatchLint extends BatchCommand {
  static override summary = 'Judge many packages by the security policy'
  static override description =
    'The security policy alone: its decision, risk score and findings for each package. A blocked package fails (exit 5).'
  static override examples = [
    '<%= config.bin %> batch lint runbooks',
    '<%= config.bin %> batch lint "teams/**/*.wpk.yaml" -o junit',
    'git diff --name-only main -- "*.wpk.yaml" | <%= config.bin %> batch lint - --strict -o markdown',
  ]
  static override args = batchArgs
  static override flags = {...batchFlags, strict: Flags.boolean({description: 'Findings of the policy fail as well'})}

  async run(): Promise<BatchReport> {
    const {args, flags} = await this.parse(BatchLint)
    const {strict} = flags
    const batch = {...(await this.gather(args.file, flags, 'document')), operation: 'lint' as const}
    const threads = flags.concurrency ?? availableParallelism()
    return this.report({...batch, scope: [this.config.version, String(strict)]}, (options) =>
      checkInThreads(batch.tasks, {operation: 'lint', strict}, {...options, threads}),
    )
  }
}
