import {AtomCommand, runtimeFlag} from '@atomctl/sdk/command'
import {describeFailure} from '@atomctl/sdk/errors'
import type {LogLine} from '@atomctl/sdk/runtime'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {followLogs} from '../lib/execution/logs.ts'
import {logLine, type LogLines, logsView} from '../lib/views/logs.ts'

export default class Logs extends AtomCommand {
  static override summary = 'Print the log of an execution'
  static override description =
    'With -f the log is followed to the end of the execution; a broken connection is resumed where it broke.'
  static override examples = [
    '<%= config.bin %> logs 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11',
    '<%= config.bin %> logs 6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11 -f',
  ]
  static override args = {
    execution: Args.string({description: 'Execution ID', required: true}),
  }
  static override flags = {
    ...runtimeFlag,
    follow: Flags.boolean({char: 'f', description: 'Go on until the execution ends'}),
    step: Flags.string({description: 'Only the output of this handler', helpValue: 'NAME'}),
    timestamps: Flags.boolean({description: 'Show when each line was written'}),
  }

  async run(): Promise<LogLines> {
    const {args, flags} = await this.parse(Logs)
    const runtime = await this.atom.runtime()
    const options = {step: flags.step, timestamps: flags.timestamps}
    if (!flags.follow) {
      const entries = await runtime.logs(args.execution).catch((error: unknown) => {
        throw describeFailure('Failed to get logs', error)
      })
      return this.emit(logsView(options), {execution_id: args.execution, entries})
    }
    const write = this.format === 'ndjson' ? (entry: LogLine) => `${JSON.stringify(entry)}\n` : logLine(options)
    await followLogs(runtime, args.execution, this.atom.interruption, (entry) => process.stdout.write(write(entry)))
    return {execution_id: args.execution, entries: []}
  }
}
