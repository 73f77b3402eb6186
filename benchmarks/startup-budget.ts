import {cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {bundleMain} from '../scripts/bundle.ts'
import {ROOT} from '../scripts/rooms.ts'
import {type Benchmark, runProcess} from './measure.ts'
import {packageText} from './packages.ts'
import {Sandbox} from './sandbox.ts'

/** Bytes of code, without comments and before minification, by the package or room it is of. */
export type Weights = Readonly<Record<string, number>>

const BUDGET = join(ROOT, 'benchmarks', 'startup-budget.json')
/** Small changes are not worth a new budget. */
const SLACK = 1.05

/**
 * What one `validate` evaluates of the bundle, against what it evaluated when the budget was written: code, not time, so
 * it is the same on every machine. When it is over, what grew is named. ATOMCTL_WRITE_BUDGET=1 writes a new budget.
 */
export const startupBudget: Benchmark = async () => {
  const weights = await weighStartup()
  if (process.env['ATOMCTL_WRITE_BUDGET']) writeFileSync(BUDGET, `${JSON.stringify(weights, undefined, 2)}\n`)
  const budget = readBudget()
  const met = total(weights) <= total(budget) * SLACK
  if (!met) process.stderr.write(`start-up grew:\n${describeGrowth(weights, budget).join('\n')}\n`)
  return [
    {
      claim: 'code that validate of one file evaluates',
      measured: kibibytes(total(weights)),
      aim: `≤ ${kibibytes(total(budget) * SLACK)}`,
      met,
    },
  ]
}

export function readBudget(): Weights {
  return JSON.parse(readFileSync(BUDGET, 'utf8')) as Weights
}

export function total(weights: Weights): number {
  return Object.values(weights).reduce((sum, weight) => sum + weight, 0)
}

/** A line for each part that is new or heavier, the most grown first. */
export function describeGrowth(weights: Weights, budget: Weights): string[] {
  const growth = Object.entries(weights).map(([part, weight]) => ({part, weight, before: budget[part] ?? 0}))
  return growth
    .filter(({weight, before}) => weight > before)
    .toSorted((one, other) => other.weight - other.before - (one.weight - one.before))
    .map(
      ({part, weight, before}) => `  ${part}: ${kibibytes(weight)}, was ${before ? kibibytes(before) : 'not loaded'}`,
    )
}

function kibibytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(0)} KiB`
}

/** Runs a readable bundle under V8's coverage and adds up the modules whose functions were called. */
export async function weighStartup(): Promise<Weights> {
  await using sandbox = new Sandbox()
  const root = sandbox.path('installation')
  const sizes = await installReadable(root)
  const file = sandbox.path('one.wpk.yaml')
  writeFileSync(file, packageText('one'))
  const coverage = sandbox.path('coverage')
  await runProcess([join(root, 'bin', 'run.js'), 'validate', file], {env: {...sandbox.env, NODE_V8_COVERAGE: coverage}})
  const weights: Record<string, number> = {}
  const {evaluated, files} = readCoverage(coverage)
  for (const [module, bytes] of Object.entries(sizes)) {
    if (evaluated.has(module)) weights[partOf(module)] = (weights[partOf(module)] ?? 0) + bytes
  }
  for (const url of files) {
    const shelf = /\/lib\/(shelves\/.*)$/.exec(url)?.[1]
    if (shelf) weights[`lib/${shelf}`] = readFileSync(new URL(url)).length
  }
  return Object.fromEntries(Object.entries(weights).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

/** An installation whose main file keeps the modules' names; their sizes in it. */
async function installReadable(root: string): Promise<Record<string, number>> {
  mkdirSync(root)
  for (const name of ['bin', 'lib', 'package.json', 'oclif.manifest.json']) {
    cpSync(join(ROOT, name), join(root, name), {recursive: true})
  }
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  const {metafile} = await bundleMain(join(root, 'lib'), {minify: false, metafile: true})
  const [output] = Object.values(metafile?.outputs ?? {})
  return Object.fromEntries(
    Object.entries(output?.inputs ?? {}).map(([path, {bytesInOutput}]) => [path, bytesInOutput]),
  )
}

interface Coverage {
  readonly result: readonly {
    readonly url: string
    readonly functions: readonly {readonly functionName: string; readonly ranges: readonly {readonly count: number}[]}[]
  }[]
}

/** esbuild names the function around each module after the module's path. */
function readCoverage(folder: string): {evaluated: Set<string>; files: string[]} {
  const reports = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Coverage)
  const scripts = reports.flatMap(({result}) => result)
  const called = scripts.flatMap(({functions}) => functions.filter(({ranges}) => ranges[0] && ranges[0].count > 0))
  return {evaluated: new Set(called.map(({functionName}) => functionName)), files: scripts.map(({url}) => url)}
}

/** `node_modules/zod/…` is zod; `packages/sdk/lib/http/…` is packages/sdk/http. */
function partOf(module: string): string {
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(module)?.[1]
  return (
    dependency ??
    module
      .split('/')
      .filter((part) => part !== 'lib')
      .slice(0, 3)
      .join('/')
      .replace(/\.\w+$/, '')
  )
}
