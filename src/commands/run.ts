import {AtomCommand, confirmFlag, registryFlag, runtimeFlag, trustPolicyFlag} from '@atomctl/sdk/command'
import type {SignatureRequirement, VerifiedPackage} from '@atomctl/sdk/enforcement'
import {AtomError, describeFailure} from '@atomctl/sdk/errors'
import {
  approvalPending,
  awaitedApproval,
  describePlanned,
  type ExecutionOutcome,
  gatherParameters,
  outcomeError,
  type Planned,
  requirePlanned,
  savePlan,
  startExecution,
  waitForExecution,
} from '@atomctl/sdk/execution'
import type {RuntimeClient} from '@atomctl/sdk/runtime'
import type {JsonObject} from '@atomctl/wpk/canonical'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {durationFlag} from '../lib/duration-flag.ts'
import {openLocalRuntime} from '../lib/execution/local.ts'
import {runView, startedText} from '../lib/views/run.ts'

export default class Run extends AtomCommand {
  static override summary = 'Run a workflow on the runtime'
  static override description = `The package is verified against the trust policy before anything is sent: a workflow ID as the registry returned it, a file as it lies on the disk.
Parameters come from -p, then --parameters, ATOMCTL_PARAM_<NAME>, the context, the declared default, and last a question on a terminal.
With --wait, Ctrl-C detaches: the execution goes on, and the command says how to reattach or cancel.`
  static override examples = [
    '<%= config.bin %> run restart-unhealthy-1.0.0 -p namespace=production --wait',
    `<%= config.bin %> run restart-unhealthy-1.0.0 --parameters '{"namespace":"production"}' --dry-run --wait`,
    '<%= config.bin %> run ./hello-shell.wpk.yaml --wait --timeout 5m',
    '<%= config.bin %> run ./hello-shell.wpk.yaml --local',
    '<%= config.bin %> run restart-unhealthy-1.0.0 -p namespace=production --dry-run --wait --plan-out plan.json',
    '<%= config.bin %> run restart-unhealthy-1.0.0 -p namespace=production --plan plan.json --wait',
  ]
  static override args = {
    workflow: Args.string({description: 'Workflow ID in the registry, or a signed file', required: true}),
  }
  static override flags = {
    ...registryFlag,
    ...runtimeFlag,
    ...trustPolicyFlag,
    ...confirmFlag,
    param: Flags.string({
      char: 'p',
      description: 'A parameter; key=@file reads a file; may be repeated',
      helpValue: 'KEY=VALUE',
      multiple: true,
      multipleNonGreedy: true,
    }),
    parameters: Flags.string({description: 'All parameters as JSON, @file or - for stdin', helpValue: 'JSON'}),
    'dry-run': Flags.boolean({description: 'Tell what each handler would do, and do nothing'}),
    local: Flags.boolean({
      description: 'Run a file in this process, with the same engine and no server; waits',
      exclusive: ['runtime-url'],
    }),
    wait: Flags.boolean({description: 'Wait until the execution ends; exit with its outcome'}),
    timeout: durationFlag({description: 'With --wait: how long to wait; the execution goes on after it'}),
    'plan-out': Flags.string({
      description: 'With --dry-run: save what it found as a plan, for --plan',
      helpValue: 'FILE',
      dependsOn: ['dry-run'],
    }),
    plan: Flags.string({
      description: 'Run only if package, parameters and runtime are those of this plan',
      helpValue: 'FILE',
      exclusive: ['dry-run'],
    }),
    'plan-max-age': durationFlag({description: 'With --plan: how old it may be; default 24h', dependsOn: ['plan']}),
    'break-glass': Flags.string({
      description: 'Run without approval, dry run and regard to freezes; for administrators, and recorded',
      helpValue: 'REASON',
    }),
    'cancel-on-interrupt': Flags.boolean({description: 'With --wait: Ctrl-C cancels the execution'}),
  }
  static override completion = {args: {workflow: 'workflow|package'}}
  static override signature: SignatureRequirement = {
    arg: 'workflow',
    accepts: 'file-or-workflow',
    unsigned: 'WPK must be signed before running',
  }

  async run(): Promise<ExecutionOutcome> {
    const {args, flags} = await this.parse(Run)
    await this.confirmContext(flags.confirm)
    const subject = this.verified(args.workflow)
    const parameters = await gatherParameters(subject.verified.document, flags, this.atom, this.interactive)
    const {timeout, local, 'dry-run': dryRun, 'break-glass': breakGlass} = flags
    const planOut = flags['plan-out']
    if (planOut !== undefined && !flags.wait && !local) throw planNeedsWait()
    const planned = await describePlanned(
      subject,
      parameters,
      local ? undefined : this.atom.configuration.text('runtime_url'),
    )
    const request = {subject, parameters, dryRun, breakGlass, timeout, local, planned, planOut}
    const age = {now: new Date(), maxAge: flags['plan-max-age']}
    if (flags.plan !== undefined) await requirePlanned(flags.plan, planned, age)
    if (local) return this.#runLocally(request)
    const runtime = await this.atom.runtime()
    const started = await this.#start(runtime, request)
    if (!flags.wait) return this.#leave(started)
    const cancel = flags['cancel-on-interrupt'] ? () => this.atom.runtime({uninterrupted: true}) : undefined
    return this.#finish(await this.#wait(runtime, started, request, cancel), request)
  }

  /** The execution lives in this process, so it is always waited for, and Ctrl-C always cancels it. */
  async #runLocally(request: RunRequest): Promise<ExecutionOutcome> {
    const outcome = await this.atom.interruption.defer(async () => {
      await using local = await openLocalRuntime(this.config, this.atom, request.subject)
      const started = await this.#start(local.runtime, request)
      return await this.#wait(local.runtime, started, request, local.uninterrupted)
    })
    return this.#finish(outcome, request)
  }

  /** Nobody waits: that it does not run before somebody approves it is said, and exits with 8. */
  #leave(started: ExecutionOutcome): Promise<ExecutionOutcome> {
    const approval = awaitedApproval(started)
    return this.emit(runView, started, approval && approvalPending(started, approval))
  }

  #start(runtime: RuntimeClient, {subject, parameters, dryRun, breakGlass}: RunRequest): Promise<ExecutionOutcome> {
    return startExecution(runtime, subject, {parameters, dryRun, breakGlass}).catch((error: unknown) => {
      throw describeFailure('Execution failed to start', error)
    })
  }

  #wait(
    runtime: RuntimeClient,
    started: ExecutionOutcome,
    {timeout, local}: RunRequest,
    cancelOnInterrupt: (() => Promise<RuntimeClient>) | undefined,
  ): Promise<ExecutionOutcome> {
    this.announce(startedText(started, this.style))
    const progress = (line: string): void => this.progress(line)
    return waitForExecution(runtime, started, {
      interruption: this.atom.interruption,
      timeout,
      cancelOnInterrupt,
      local,
      progress,
    })
  }

  async #finish(outcome: ExecutionOutcome, {planned, planOut}: RunRequest): Promise<ExecutionOutcome> {
    const error = outcomeError(outcome)
    if (!error && planOut !== undefined) {
      await savePlan(planOut, planned, outcome, new Date())
      this.progress(`Plan saved: ${planOut}`)
    }
    return error ? this.emitFailure(runView, outcome, error) : this.emit(runView, outcome)
  }
}

interface RunRequest {
  subject: VerifiedPackage
  parameters: JsonObject
  dryRun: boolean
  breakGlass: string | undefined
  timeout: number | undefined
  local: boolean
  planned: Planned
  planOut: string | undefined
}

function planNeedsWait(): AtomError {
  return new AtomError('USAGE', '--plan-out saves what the dry run found, so it has to wait for it', {
    hint: 'add --wait',
  })
}
