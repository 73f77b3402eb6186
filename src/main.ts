import {fileURLToPath} from 'node:url'
import {processEnvironment} from '@atomctl/sdk/config'
import {type ErrorReport, reportOf} from '@atomctl/sdk/errors'
import {createStyle, failureEnvelope, failureText, formatOf, wantsColour} from '@atomctl/sdk/output'
import type {Derivation} from '@atomctl/wpk/key-derivation'
import {run} from '@oclif/core/run'
import {settings} from '@oclif/core/settings'
import {interruption} from './lib/interruption.ts'
import {loadOptionsFor} from './lib/load-options.ts'
import type {Modules} from './lib/own-plugin.ts'
import {withInstalledPlugins} from './lib/plugins/start.ts'
import {afterCommand} from './lib/update/occasion.ts'

/**
 * The process: run the command, print an error in the format asked for, leave with the exit code of the CLI
 * contract. Every error of every hook, command and plugin ends here. `derivation` is what src/early-key.ts began;
 * `modules` is what the bundle holds: without it, as from the sources, oclif finds the commands in their folder.
 */
export async function main(
  argv: readonly string[],
  root: URL,
  derivation?: Derivation,
  modules?: Modules,
): Promise<void> {
  // A reader that goes away (`atomctl … | head`) ends the output, not the promise to exit cleanly.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? 0)
  })
  // oclif looks for ts-node or tsx in linked plugins otherwise.
  settings.enableAutoTranspile = false
  interruption.install()
  try {
    if (derivation) (await import('@atomctl/wpk/key-derivation')).adoptDerivation(derivation)
    const environment = processEnvironment()
    const options = loadOptionsFor(argv, fileURLToPath(root), environment, modules)
    await run([...argv], await withInstalledPlugins(argv, options, environment))
    await afterCommand(argv, environment)
    await leave(Number(process.exitCode ?? 0))
  } catch (error) {
    await fail(error, argv)
  }
}

async function fail(error: unknown, argv: readonly string[]): Promise<void> {
  const {code, oclif} = error as {code?: string; oclif?: {exit?: number}}
  // `this.exit(n)`; matched by code because a user-installed plugin brings its own @oclif/core.
  if (code === 'EEXIT') return leave(oclif?.exit ?? 0)
  const report = interruption.explain(reportOf(error))
  await printFailure(report, argv)
  if (report.code === 'INTERNAL' && process.env['DEBUG']) process.stderr.write(`${(error as Error).stack ?? ''}\n`)
  await leave(report.exit)
}

async function printFailure(report: ErrorReport, argv: readonly string[]): Promise<void> {
  const environment = processEnvironment()
  const envelope = await failureEnvelope(report, formatOf(argv, environment), [])
  if (envelope !== undefined) process.stdout.write(`${envelope}\n`)
  const style = createStyle(wantsColour(undefined, environment, process.stderr))
  process.stderr.write(`${failureText(report, style, isVerbose(argv))}\n`)
}

// Read from the words themselves: the error may be that they cannot be parsed.
function isVerbose(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  const flags = end === -1 ? argv : argv.slice(0, end)
  return flags.includes('--verbose') || flags.includes('--debug')
}

/** Exits once both streams are written out; a pipe that nobody reads any more does not hold the process. */
async function leave(code: number): Promise<void> {
  process.exitCode = code
  await Promise.all([drained(process.stdout), drained(process.stderr)])
  process.exit(code)
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableLength === 0) return resolve()
    stream.write('', () => resolve())
  })
}
