import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {build} from './build.ts'
import {QUICK_CHECKS} from './checks.ts'
import {runTool} from './process.ts'
import {listFiles, listRooms, ROOT} from './rooms.ts'

/** What one mocha run counted. */
interface Totals {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
}

const SLOW = '.slow.test.ts'

// usage: node scripts/test.ts [--slow] [FILE…] [mocha options]
// A file, or an option of mocha such as --grep, narrows the run to those tests, without the other checks.
async function main(argv: readonly string[]): Promise<void> {
  const slow = argv.includes('--slow')
  const rest = argv.filter((word) => word !== '--slow')
  const checks = slow || rest.length > 0 ? [] : QUICK_CHECKS
  const broken = await countFailures([build, ...checks])
  const totals = await runMocha(slow, rest)
  const failed = totals.failed + broken
  process.stdout.write(`\n${totals.passed} passed, ${failed} failed, ${totals.skipped} skipped\n`)
  process.exitCode = failed === 0 ? 0 : 1
}

/** Runs each check, goes on after a failure, and counts the failures: each weighs as much as a failed test. */
async function countFailures(checks: readonly (() => Promise<void>)[]): Promise<number> {
  let failures = 0
  for (const check of checks) {
    try {
      await check()
    } catch (error) {
      failures += 1
      process.stderr.write(`[FAILED] ${(error as Error).message}\n`)
    }
  }
  return failures
}

async function runMocha(slow: boolean, rest: readonly string[]): Promise<Totals> {
  const named = rest.filter((word) => word.endsWith('.test.ts'))
  const options = rest.filter((word) => !named.includes(word))
  const files = named.length > 0 ? named : testFiles(slow)
  const folder = mkdtempSync(join(tmpdir(), 'atomctl-totals-'))
  try {
    const report = join(folder, 'totals.json')
    const reporter = ['--reporter', join(ROOT, 'scripts', 'reporter.mjs')]
    const patience = slow ? ['--timeout', '300000'] : []
    const args = [...reporter, ...patience, ...options, ...files]
    const code = await runTool('mocha', 'mocha', args, {env: {TEST_TOTALS_FILE: report}})
    return readTotals(report, code)
  } finally {
    rmSync(folder, {recursive: true, force: true})
  }
}

function testFiles(slow: boolean): string[] {
  const folders = listRooms().map((room) => join(room.sources, '..', 'test'))
  return folders.flatMap((folder) => listFiles(folder, '.test.ts')).filter((path) => path.endsWith(SLOW) === slow)
}

/** A run that ended before it could count (a file that does not load, a crash) is one failure. */
function readTotals(report: string, code: number): Totals {
  const totals = readReport(report)
  return code === 0 || totals.failed > 0 ? totals : {...totals, failed: 1}
}

function readReport(report: string): Totals {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as Totals
  } catch {
    return {passed: 0, failed: 1, skipped: 0}
  }
}

await main(process.argv.slice(2))
