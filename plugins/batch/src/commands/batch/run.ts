import {confirmFlag, registryFlag, runtimeFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import type {SignatureRequirement, VerifiedPackage} from '@atomctl/sdk/enforcement'
import {AtomError} from '@atomctl/sdk/errors'
import {
  approvalPending,
  awaitedApproval,
  describeWaiting,
  type ExecutionOutcome,
  gatherParameters,
  hasFailed,
  outcomeError,
  waitForExecution,
} from '@atomctl/sdk/execution'
import {oneLine} from '@atomctl/sdk/output'
import type {RuntimeClient} from '@atomctl/sdk/runtime'
import * as Flags from '@oclif/core/flags'
import {batchArgs, BatchCommand, batchFlags, rateFlag} from '../../batch-command.ts'
import {fingerprintSubject} from '../../fingerprint.ts'
import type {BatchReport, Done, Task} from '../../item.ts'
import type {Memory} from '../../queue.ts'
import {startOnce} from '../../start.ts'

const REQUIREMENT: SignatureRequirement = {
  arg: 'file',
  accepts: 'file-or-workflow',
  unsigned: 'WPK must be signed before running',
}

interface RunFlags {
  param?: string[] | undefined
  'dry-run': boolean
  wait: boolean
  /** Milliseconds. */
  timeout: number | undefined
}

export default class BatchRun extends BatchCommand {
  static override summary = 'Run many workflows on the runtime'
  static override description = `Each package, a file or a workflow ID, is verified against the trust policy before anything is sent, exactly as "run" does.
Parameters come from -p for all of them and from the manifest for each. With --wait a package is done when its execution
has completed; without it, when it has started, and one that somebody has to approve is reported as waiting (exit 8).
--resume starts nothing a second time, not even after a crash: it looks after what was started before.`
  static override examples = [
    '<%= config.bin %> batch run --manifest nightly.yaml --wait --timeout 30m -o junit',
    '<%= config.bin %> batch run disk-report-1.0.0 backup-verify-1.0.0 --dry-run --wait',
    '<%= config.bin %> batch run --manifest fleet.yaml --concurrency 2 --rate 10/m --fail-fast',
  ]
  static override args = batchArgs
  static override flags = {
    ...batchFlags,
    ...rateFlag,
    ...registryFlag,
    ...runtimeFlag,
    ...trustPolicyFlag,
    ...confirmFlag,
    param: Flags.string({
      char: 'p',
      description: 'A parameter of every package; key=@file reads a file; may be repeated',
      helpValue: 'KEY=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    'dry-run': Flags.boolean({description: 'Tell what each handler would do, and do nothing'}),
    wait: Flags.boolean({description: 'Wait until each execution ends; one that does not complete is a failure'}),
    timeout: Flags.string({
      description: 'With --wait: how long to wait for each; the execution goes on after it',
      helpValue: 'DURATION',
      dependsOn: ['wait'],
    }),
  }
  static override completion = {args: {file: 'package|workflow'}, flags: {param: 'none'}}

  async run(): Promise<BatchReport> {
    const {args, flags} = await this.parse(BatchRun)
    await this.confirmContext(flags.confirm)
    const timeout = await parseTimeout(flags.timeout)
    const gathered = await this.gather(args.file, flags, 'workflow')
    const runtime = await this.atom.runtime()
    const scope = [
      this.atom.configuration.text('runtime_url') ?? '',
      String(flags['dry-run']),
      JSON.stringify(flags.param ?? []),
    ]
    return this.runBatch(
      {...gathered, operation: 'run', scope},
      {
        fingerprint: async ({subject, parameters}) =>
          `${await fingerprintSubject(subject)} ${JSON.stringify(parameters ?? {})}`,
        perform: (task, memory) => this.#run(task, memory, runtime, {...flags, timeout}),
      },
    )
  }

  async #run(task: Task, memory: Memory, runtime: RuntimeClient, flags: RunFlags): Promise<Done> {
    const verified = await this.#verify(task.subject)
    const {id} = verified.verified.document
    const started =
      memory.pending === undefined
        ? await this.#start(task, verified, memory, runtime, flags)
        : {...(await runtime.status(memory.pending)), workflow_id: id}
    memory.remember(started.execution_id)
    const approval = awaitedApproval(started)
    const {execution_id: execution} = started
    if (approval && !flags.wait) return {id, note: `waiting: ${execution}`, waiting: approvalPending(started, approval)}
    if (approval) this.progress(`${oneLine(task.subject)} ${describeWaiting(started, approval)}`)
    const ended = flags.wait ? await this.#wait(runtime, started, flags.timeout) : started
    const failure = flags.wait || hasFailed(ended) ? outcomeError(ended) : undefined
    if (failure) memory.remember('')
    if (failure) throw failure
    return {id, note: `${ended.status}: ${execution}`}
  }

  async #start(
    {parameters: own}: Task,
    verified: VerifiedPackage,
    memory: Memory,
    runtime: RuntimeClient,
    flags: RunFlags,
  ): Promise<ExecutionOutcome> {
    const given = {param: flags.param, ...(own === undefined ? {} : {parameters: JSON.stringify(own)})}
    const parameters = await gatherParameters(verified.verified.document, given, this.atom, false)
    return startOnce(runtime, verified, {parameters, dryRun: flags['dry-run']}, memory)
  }

  #wait(runtime: RuntimeClient, started: ExecutionOutcome, timeout: number | undefined): Promise<ExecutionOutcome> {
    const {interruption} = this.atom
    return waitForExecution(runtime, started, {interruption, timeout, progress: () => {}})
  }

  /** The gate of "run" for one package: nothing is sent that it did not let through. */
  async #verify(subject: string): Promise<VerifiedPackage> {
    const found = (await this.atom.verify([subject], REQUIREMENT)).get(subject)
    if (found) return found
    throw new AtomError('GATE_NOT_RUN', `${subject} was not verified`)
  }
}

async function parseTimeout(text: string | undefined): Promise<number | undefined> {
  if (text === undefined) return undefined
  const {parseDuration} = await import('@atomctl/wpk/document')
  const milliseconds = parseDuration(text)
  if (milliseconds !== undefined && milliseconds > 0) return milliseconds
  throw new AtomError('USAGE', `${JSON.stringify(text)} is not a duration`, {hint: 'write it like 30s, 5m or 1h30m'})
}
