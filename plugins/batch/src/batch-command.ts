import {availableParallelism} from 'node:os'
import {AtomCommand} from '@atomctl/sdk/command'
import {isStructured} from '@atomctl/sdk/output'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {failureOf} from './exit.ts'
import {BATCH_FORMATS, viewOf} from './formats/index.ts'
import {type BatchItem, type BatchReport, type OperationName, summarizeBatch, type Task} from './item.ts'
import {Journal, journalPath} from './journal.ts'
import {showProgress} from './progress.ts'
import {type QueueOptions, type Work, workThrough} from './queue.ts'
import {Pace, parseRate} from './rate.ts'
import {gatherTasks, type TargetKind} from './targets.ts'

/** The argument and the flags of every batch command. */
export const batchArgs = {
  file: Args.string({
    description: 'Files, directories, patterns, or - for a list on standard input',
    multiple: true,
    ignoreStdin: true,
  }),
}
export const batchFlags = {
  output: Flags.string({
    char: 'o',
    description: `Output format: ${BATCH_FORMATS.join(', ')}`,
    helpGroup: 'GLOBAL',
    helpValue: 'FORMAT',
    options: [...BATCH_FORMATS],
  }),
  manifest: Flags.string({char: 'm', description: 'List of packages: YAML or JSON', helpValue: 'FILE'}),
  concurrency: Flags.integer({char: 'c', description: 'How many at a time', min: 1, max: 64, helpValue: 'N'}),
  'continue-on-error': Flags.boolean({description: 'Go on after a failure (the default)', exclusive: ['fail-fast']}),
  'fail-fast': Flags.boolean({description: 'Begin no further package after a failure'}),
  resume: Flags.boolean({description: 'Skip what an earlier run has done and what has not changed since'}),
  state: Flags.string({
    description: 'File that remembers what is done (default: in ~/.atomctl/cache)',
    helpValue: 'FILE',
  }),
}
export const rateFlag = {
  rate: Flags.string({description: 'At most so many a second, minute or hour', helpValue: 'N/s'}),
}

export interface BatchFlags {
  output?: string | undefined
  manifest?: string | undefined
  concurrency?: number | undefined
  'fail-fast': boolean
  resume: boolean
  state?: string | undefined
  rate?: string | undefined
}

export interface Batch {
  readonly operation: OperationName
  readonly tasks: readonly Task[]
  /** As named on the command line: what is repeated with --resume. */
  readonly named: readonly string[]
  /** Whatever has to be the same for an earlier run to count. */
  readonly scope: readonly string[]
  readonly flags: BatchFlags
}

/** Services and disks gain from a few requests at a time, and suffer from many. */
const DEFAULT_CONCURRENCY = 4

/** Base of the batch commands: the journal, the progress, the report, the exit code. */
export abstract class BatchCommand extends AtomCommand {
  /** Does the work package by package, in this thread. */
  protected runBatch(batch: Batch, work: Work): Promise<BatchReport> {
    const {flags, tasks} = batch
    const pace = flags.rate === undefined ? undefined : new Pace(parseRate(flags.rate))
    const concurrency = flags.concurrency ?? Math.max(DEFAULT_CONCURRENCY, availableParallelism())
    return this.report(batch, (options) => workThrough(tasks, work, {...options, concurrency, pace}))
  }

  /** The packages named, and the words that name them. */
  protected async gather(
    names: readonly string[] | undefined,
    flags: BatchFlags,
    kind: TargetKind,
  ): Promise<Pick<Batch, 'tasks' | 'named' | 'flags'>> {
    const {manifest} = flags
    const tasks = await gatherTasks(names ?? [], {kind, manifest})
    return {tasks, named: [...(names ?? []), ...(manifest === undefined ? [] : [manifest])], flags}
  }

  /** Lets `work` do all of it, and reports. */
  protected async report(
    {operation, tasks, named, scope, flags}: Batch,
    work: (options: Omit<QueueOptions, 'concurrency' | 'pace'>) => Promise<BatchItem[]>,
  ): Promise<BatchReport> {
    const {interruption, environment} = this.atom
    const path = flags.state ?? journalPath(environment, [operation, ...named])
    using journal = await Journal.open(path, {scope: JSON.stringify([operation, ...scope]), resume: flags.resume})
    using progress = showProgress(tasks.length, {
      shown: this.format === 'table' || this.format === 'wide',
      terminal: process.stderr.isTTY && this.interactive && environment['TERM'] !== 'dumb',
    })
    const started = performance.now()
    const {signal} = interruption
    const onItem = (item: BatchItem): void => progress.ended(item)
    const items = await interruption.defer(() => work({journal, signal, failFast: flags['fail-fast'], onItem}))
    progress[Symbol.dispose]()
    const report = summarizeBatch(operation, items, Math.round(performance.now() - started))
    return this.#finish(report, flags.output, signal.aborted && report.totals.not_run > 0)
  }

  async #finish(report: BatchReport, format: string | undefined, interrupted: boolean): Promise<BatchReport> {
    const {warnings} = this.atom
    warnings.splice(0, warnings.length, ...new Set(warnings))
    const view = await viewOf(format, this.config.version)
    const failure = failureOf(report, interrupted)
    if (!interrupted || !failure || isStructured(this.format)) return this.emit(view, report, failure)
    await this.emit(view, report)
    throw failure
  }
}
