import {appendFileSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join, resolve, sep} from 'node:path'
import {build} from './build.ts'
import {QUICK_CHECKS} from './checks.ts'
import {runTool} from './process.ts'
import {listFiles, listRooms, ROOT} from './rooms.ts'

/** What one mocha run counted. */
interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** A line for each failure: its title and what went wrong. */
  readonly failures: readonly string[]
}

const NOTHING: Totals = {passed: 0, failed: 0, skipped: 0, failures: []}
const SLOW = '.slow.test.ts'
const FOLDERS = listRooms().map((room) => join(room.sources, '..', 'test'))

// usage: node scripts/test.ts [--slow] [FILE…] [mocha options]
// A file, or an option of mocha such as --grep, narrows the run to those tests, without the other checks.
async function main(argv: readonly string[]): Promise<void> {
  const slow = argv.includes('--slow')
  const rest = argv.filter((word) => word !== '--slow')
  const checks = slow || rest.length > 0 ? [] : QUICK_CHECKS
  const broken = await listFailures([build, ...checks])
  const totals = await runTests(slow, rest)
  const failures = [...broken, ...totals.failures]
  const failed = totals.failed + broken.length
  for (const line of failures) process.stdout.write(`\n[FAILED] ${line}`)
  process.stdout.write(`\n${totals.passed} passed, ${failed} failed, ${totals.skipped} skipped\n`)
  if (process.env['TEST_FAILURES_FILE'] !== undefined)
    appendFileSync(process.env['TEST_FAILURES_FILE'], lines(failures))
  process.exitCode = failed === 0 ? 0 : 1
}

function lines(failures: readonly string[]): string {
  return failures.map((line) => `${line}\n`).join('')
}

/** Runs each check, goes on after a failure, and lists the failures: each weighs as much as a failed test. */
async function listFailures(checks: readonly (() => Promise<void>)[]): Promise<string[]> {
  const failures: string[] = []
  for (const check of checks) {
    try {
      await check()
    } catch (error) {
      failures.push((error as Error).message)
      process.stderr.write(`[FAILED] ${(error as Error).message}\n`)
    }
  }
  return failures
}

/**
 * Runs mocha once for each room: what one room's tests change in their process (nock takes over node:http) is not there
 * for the next.
 */
async function runTests(slow: boolean, rest: readonly string[]): Promise<Totals> {
  const named = rest.filter((word) => word.endsWith('.test.ts')).map((path) => resolve(path))
  const options = rest.filter((word) => !word.endsWith('.test.ts'))
  const files = named.length > 0 ? named : testFiles(slow)
  let totals: Totals = NOTHING
  for (const group of Map.groupBy(files, folderOf).values()) totals = add(totals, await runMocha(slow, options, group))
  return totals
}

function testFiles(slow: boolean): string[] {
  return FOLDERS.flatMap((folder) => listFiles(folder, '.test.ts')).filter((path) => path.endsWith(SLOW) === slow)
}

/** The test folder a file is in; the repository's own where it is in none. */
function folderOf(file: string): string {
  return FOLDERS.find((folder) => file.startsWith(folder + sep)) ?? ROOT
}

function add(one: Totals, other: Totals): Totals {
  return {
    passed: one.passed + other.passed,
    failed: one.failed + other.failed,
    skipped: one.skipped + other.skipped,
    failures: [...one.failures, ...other.failures],
  }
}

async function runMocha(slow: boolean, options: readonly string[], files: readonly string[]): Promise<Totals> {
  const folder = mkdtempSync(join(tmpdir(), 'atomctl-totals-'))
  try {
    const report = join(folder, 'totals.json')
    const reporter = ['--reporter', join(ROOT, 'scripts', 'reporter.mjs')]
    // A suite that is cut off in the middle may leave sockets and processes: they must not hold the run.
    const patience = slow ? ['--timeout', '300000', '--exit'] : []
    const args = [...reporter, ...patience, ...options, ...files]
    const code = await runTool('mocha', 'mocha', args, {env: {TEST_TOTALS_FILE: report}})
    return readTotals(report, code)
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

/** A run that ended before it could count (a file that does not load, a crash) is one failure. */
function readTotals(report: string, code: number): Totals {
  const totals = readReport(report)
  if (totals !== undefined && (code === 0 || totals.failed > 0)) return totals
  const failure = `mocha ended with exit code ${code}, and counted no failure`
  return {...(totals ?? NOTHING), failed: 1, failures: [failure]}
}

function readReport(report: string): Totals | undefined {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Totals
  } catch {
    return undefined
  }
}

await main(process.argv.slice(2))
