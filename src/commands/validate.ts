import {AtomCommand} from '@atomctl/sdk/command'
import {AtomError} from '@atomctl/sdk/errors'
import {expandFiles} from '@atomctl/sdk/files'
import {FORMATS} from '@atomctl/sdk/output'
import {
  addJobSummary,
  isReportFormat,
  REPORT_FORMATS,
  reportView,
  summarize,
  validateFiles,
  type ValidationReport,
} from '@atomctl/sdk/validation'
import * as Args from '@oclif/core/args'
import * as Flags from '@oclif/core/flags'
import {validateView} from '../lib/views/validate.ts'

export default class Validate extends AtomCommand {
  static override summary = 'Check packages: document, schema, semantics, security policy'
  static override description = `All findings of all files come in one pass, each with its place, its rule and, where there is one, its fix.
A signature is only shown here; whether it is good and from whom is for "verify" to say.
-o github annotates a pull request, as far as GitHub shows annotations, and puts every finding into the job summary.`
  static override examples = [
    '<%= config.bin %> validate restart-unhealthy.wpk.yaml',
    '<%= config.bin %> validate examples --strict',
    '<%= config.bin %> validate --fix restart-unhealthy.wpk.yaml',
    '<%= config.bin %> validate "runbooks/**/*.wpk.yaml" -o sarif',
    '<%= config.bin %> validate runbooks -o github',
  ]
  static override args = {
    file: Args.string({
      description: 'File, directory, pattern, or - for standard input',
      required: true,
      multiple: true,
      ignoreStdin: true,
    }),
  }
  static override flags = {
    output: Flags.string({
      char: 'o',
      description: `Output format: ${[...FORMATS, ...REPORT_FORMATS].join(', ')}`,
      helpGroup: 'GLOBAL',
      helpValue: 'FORMAT',
      options: [...FORMATS, ...REPORT_FORMATS],
    }),
    fix: Flags.boolean({description: 'Quote what readers understand differently, in the file itself'}),
    strict: Flags.boolean({description: 'Warnings fail as well'}),
  }

  async run(): Promise<ValidationReport> {
    const {args, flags} = await this.parse(Validate)
    const paths = await expandFiles(args.file)
    if (flags.fix) refuseUnfixable(paths)
    const report = summarize(await validateFiles(paths, {strict: flags.strict, fix: flags.fix}))
    const view = isReportFormat(flags.output) ? await reportView(flags.output, this.config.version) : validateView
    if (flags.output === 'github') await this.#summarizeJob(report)
    const {invalid, files} = report.totals
    const failure = new AtomError('WPK_INVALID', `${invalid} of ${files} files failed validation`)
    return this.emit(view, report, invalid === 0 ? undefined : failure)
  }

  /** GitHub's runner names the file; without one there is no job. A summary that fails must not hide the result. */
  async #summarizeJob(report: ValidationReport): Promise<void> {
    const path = this.atom.environment['GITHUB_STEP_SUMMARY']
    if (!path) return
    await addJobSummary(report, path).catch((error: unknown) => this.warn(error as Error))
  }
}

function refuseUnfixable(paths: readonly string[]): void {
  const fixed = paths.find((path) => path === '-' || /\.(tar\.gz|tgz)$/.test(path))
  if (fixed === undefined) return
  const what = fixed === '-' ? 'standard input' : fixed
  throw new AtomError('USAGE', `--fix writes the file itself, which it cannot do to ${what}`, {
    hint: 'name the *.wpk.yaml file',
  })
}
