import {availableParallelism} from 'node:os'
import * as Flags from '@oclif/core/flags'
import {batchArgs, BatchCommand, batchFlags} from '../../batch-command.ts'
import type {BatchReport} from '../../item.ts'
import {checkInThreads} from '../../validation/pool.ts'

export default class BatchValidate extends BatchCommand {
  static override summary = 'Validate many packages'
  static override description =
    'Checks what "validate" checks, in as many threads as there are processors (--concurrency), and reports on all of it.'
  static override examples = [
    '<%= config.bin %> batch validate runbooks',
    '<%= config.bin %> batch validate "teams/**/*.wpk.yaml" -o junit',
    'git diff --name-only main -- "*.wpk.yaml" | <%= config.bin %> batch validate - --strict -o markdown',
  ]
  static override args = batchArgs
  static override flags = {...batchFlags, strict: Flags.boolean({description: 'Warnings fail as well'})}

  async run(): Promise<BatchReport> {
    const {args, flags} = await this.parse(BatchValidate)
    const {strict} = flags
    const batch = {...(await this.gather(args.file, flags, 'document')), operation: 'validate' as const}
    const threads = flags.concurrency ?? availableParallelism()
    return this.report({...batch, scope: [this.config.version, String(strict)]}, (options) =>
      checkInThreads(batch.tasks, {operation: 'validate', strict}, {...options, threads}),
    )
  }
}
