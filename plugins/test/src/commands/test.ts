import {AtomCommand} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import {expandFiles} from '@atomctl/sdk/files'
import {FORMATS, type View} from '@atomctl/sdk/output'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {readFilter} from '../filter.ts'
import {testView} from '../formats/text.ts'
import type {TestReport} from '../report.ts'

const TEST_FORMATS = [...FORMATS, 'junit'] as const

export default class Test extends AtomCommand {
  static override summary = 'Test packages without running anything'
  static override description = `Runs the cases of *.wpktest.yaml files: the interpreter of the runtime with the results that a case makes up for each
handler, on a clock of its own. No command, no request and no kubectl is ever started; a handler that is reached and has
no made-up result fails its case. "explain wpktest" documents the format, "schema print --test" writes its schema.`
  static override examples = [
    '<%= config.bin %> test',
    '<%= config.bin %> test runbooks --fail-each-step --min-coverage 90',
    '<%= config.bin %> test restart.wpktest.yaml --grep "rolls back"',
    '<%= config.bin %> test "teams/**/*.wpktest.yaml" -o junit',
  ]
  static override args = {
    file: Args.string({
      description: 'Test files, directories or patterns; the current directory if none is named',
      multiple: true,
      ignoreStdin: true,
    }),
  }
  static override flags = {
    output: Flags.string({
      char: 'o',
      description: `Output format: ${TEST_FORMATS.join(', ')}`,
      helpGroup: 'GLOBAL',
      helpValue: 'FORMAT',
      options: [...TEST_FORMATS],
    }),
    grep: Flags.string({
      aliases: ['filter'],
      description: 'Only cases whose name matches, a regular expression (also --filter)',
      helpValue: 'PATTERN',
    }),
    'fail-fast': Flags.boolean({description: 'Begin no further case after a failure'}),
    'fail-each-step': Flags.boolean({description: 'Also let every step fail once, and check what is undone'}),
    'min-coverage': Flags.integer({
      description: 'Fail below this share of steps, branches and rollbacks, in percent',
      helpValue: 'N',
      min: 0,
      max: 100,
    }),
  }

  async run(): Promise<TestReport> {
    const {args, flags} = await this.parse(Test)
    const {grep} = flags
    const filter = grep === undefined ? undefined : readFilter(grep)
    const paths = await expandFiles(args.file ?? ['.'], 'test')
    const [{loadTests}, {runSuite}] = await Promise.all([import('../load.ts'), import('../suite.ts')])
    const options = {filter, failFast: flags['fail-fast'], failEachStep: flags['fail-each-step']}
    const report = await runSuite(await loadTests(paths), options)
    if (report.totals.cases + report.totals.broken === 0) throw nothingMatches(grep ?? '')
    return this.emit(await viewOf(flags.output), report, failureOf(report, flags['min-coverage'] ?? 0))
  }
}

async function viewOf(format: string | undefined): Promise<View<TestReport>> {
  if (format !== 'junit') return testView
  const {renderJunit} = await import('../formats/junit.ts')
  return {kind: testView.kind, text: renderJunit}
}

function failureOf({totals}: TestReport, least: number): AtomError | undefined {
  const {broken, failed, cases, coverage} = totals
  if (failed > 0) return new AtomError('TEST_FAILED', `${failed} of ${cases} cases failed`)
  if (broken > 0) return new AtomError('TEST_INVALID', `${broken} test files cannot be run`)
  if (coverage >= least) return undefined
  return new AtomError('COVERAGE_TOO_LOW', `coverage is ${coverage} %, less than the ${least} % asked for`, {
    hint: 'atomctl test --fail-each-step covers rollbacks',
  })
}

function nothingMatches(pattern: string): AtomError {
  return new AtomError('USAGE', `no case has a name that matches ${JSON.stringify(pattern)}`, {hint: 'atomctl test'})
}
