import {cpus} from 'node:os'
import {completion} from '../benchmarks/completion.ts'
import {devServices} from '../benchmarks/dev-services.ts'
import {largePackage} from '../benchmarks/large-package.ts'
import {manyFiles} from '../benchmarks/many-files.ts'
import type {Benchmark, Row} from '../benchmarks/measure.ts'
import {signatures} from '../benchmarks/signatures.ts'
import {standalone} from '../benchmarks/standalone.ts'
import {startup} from '../benchmarks/startup.ts'
import {startupBudget} from '../benchmarks/startup-budget.ts'
import {waitLatency} from '../benchmarks/wait-latency.ts'
import {build} from './build.ts'

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  startup,
  standalone,
  'startup-budget': startupBudget,
  completion,
  signatures,
  'many-files': manyFiles,
  'large-package': largePackage,
  'wait-latency': waitLatency,
  'dev-services': devServices,
}

// usage: node scripts/bench.ts [NAME…] [--smoke]
// Exits with 1 when a benchmark breaks; an aim that is missed is shown, and does not fail a smoke run.
async function main(argv: readonly string[]): Promise<void> {
  const smoke = argv.includes('--smoke')
  const names = argv.filter((word) => word !== '--smoke')
  const unknown = names.filter((name) => !(name in BENCHMARKS))
  if (unknown.length > 0)
    throw new Error(`unknown: ${unknown.join(', ')}; known: ${Object.keys(BENCHMARKS).join(', ')}`)
  await build()
  const rows: Row[] = []
  for (const [name, benchmark] of Object.entries(BENCHMARKS)) {
    if (names.length === 0 || names.includes(name)) rows.push(...(await benchmark({smoke})))
  }
  print(rows)
  if (!smoke && rows.some((row) => !row.met)) process.exitCode = 1
}

function print(rows: readonly Row[]): void {
  const [processor] = cpus()
  console.log(`Node ${process.version}, ${process.platform} ${process.arch}, ${cpus().length} × ${processor?.model}\n`)
  console.log('| claim | measured | aim | met |\n|---|---|---|---|')
  for (const {claim, measured, aim, met} of rows)
    console.log(`| ${claim} | ${measured} | ${aim} | ${met ? 'yes' : 'NO'} |`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`)
  process.exitCode = 1
}
