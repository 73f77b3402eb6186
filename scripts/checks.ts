import {execFileSync} from 'node:child_process'
import {findViolations, readSources} from './imports.ts'
import {runTool} from './process.ts'
import {ROOT} from './rooms.ts'

/** Files that the build writes and that are committed. */
const GENERATED = ['oclif.manifest.json', 'plugins/*/oclif.manifest.json', 'docs/commands.md', 'docs/wpk.schema.json']

/** A check says nothing when all is well, and throws one sentence otherwise. */
export type Check = () => Promise<void>

async function expectSuccess(code: Promise<number>, problem: string): Promise<void> {
  if ((await code) !== 0) throw new Error(problem)
}

export function checkFormat(): Promise<void> {
  return expectSuccess(runTool('oxfmt', 'oxfmt', ['--check']), 'files are not formatted: npm run format')
}

export function checkLint(): Promise<void> {
  return expectSuccess(runTool('oxlint', 'oxlint', ['--quiet']), 'the linter found errors')
}

export async function checkImports(): Promise<void> {
  const violations = findViolations(readSources())
  for (const violation of violations) process.stderr.write(`${violation}\n`)
  if (violations.length > 0) throw new Error(`${violations.length} imports go against the house (CONTRIBUTING.md)`)
}

/** Tests, scripts and benchmarks: what `tsc -b` does not see. Needs a build. */
export async function checkTypes(): Promise<void> {
  const codes: number[] = []
  for (const project of ['test', 'scripts', 'benchmarks'])
    codes.push(await runTool('tsc', 'typescript', ['-p', project]))
  if (codes.some((code) => code !== 0)) throw new Error('tests, scripts or benchmarks do not typecheck')
}

/** What the build generates is what is committed. Needs a build; says nothing outside a git checkout. */
export async function checkGenerated(): Promise<void> {
  const stale = changedFiles()
  if (stale.length > 0) throw new Error(`generated files differ from the last commit, commit them: ${stale.join(', ')}`)
}

function changedFiles(): string[] {
  const status = git(['status', '--porcelain', '--', ...GENERATED]) ?? ''
  return status.split('\n').flatMap((line) => (line === '' ? [] : [line.slice(3)]))
}

function git(args: readonly string[]): string | undefined {
  try {
    return execFileSync('git', args, {cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']})
  } catch {
    return undefined
  }
}

/** The documents name what the code has, no less and no more: errors, rules, commands and flags. Needs a build. */
export function checkDocs(): Promise<void> {
  const args = ['--reporter', 'dot', 'test/docs/*.test.ts']
  return expectSuccess(runTool('mocha', 'mocha', args), 'the documents differ from the code')
}

/** What every `npm test` runs beside the tests. */
export const QUICK_CHECKS: readonly Check[] = [checkFormat, checkLint]
