import {statSync} from 'node:fs'
import {join} from 'node:path'
import {listFiles, ROOT} from '../rooms.ts'
import type {Shipped} from './closure.ts'
import {clientClosure, servicesClosure, shippedFiles} from './stage.ts'

interface Weight {
  readonly files: number
  readonly bytes: number
}

// usage: node scripts/dist/sizes.ts        what an installation weighs, and which packages that is (needs a build)
function main(): void {
  const bundle = weigh(listFiles(join(ROOT, 'lib'), '.cjs'))
  print('atomctl: its own bundle (lib)', [['lib', bundle]])
  const client = clientClosure()
  print('atomctl: the packages its plugins load', weighPackages(client))
  print('@atomctl/services: what only atomctl dev, serve and run --local load', weighPackages(servicesClosure()))
}

function weighPackages(shipped: readonly Shipped[]): [string, Weight][] {
  const weights = new Map<string, Weight>()
  for (const {name, source} of shipped) {
    const own = weigh(shippedFiles(name, source).map((path) => join(source, path)))
    weights.set(name, sum([own, weights.get(name) ?? {files: 0, bytes: 0}]))
  }
  return [...weights].toSorted(([, left], [, right]) => right.bytes - left.bytes)
}

function weigh(files: readonly string[]): Weight {
  return {files: files.length, bytes: files.reduce((total, file) => total + statSync(file).size, 0)}
}

function sum(weights: readonly Weight[]): Weight {
  return weights.reduce((one, other) => ({files: one.files + other.files, bytes: one.bytes + other.bytes}))
}

function print(title: string, rows: readonly [string, Weight][]): void {
  const total = sum(rows.map(([, weight]) => weight))
  process.stdout.write(`\n${title}: ${describe(total)}\n`)
  for (const [name, weight] of rows.slice(0, 12)) process.stdout.write(`  ${name.padEnd(34)} ${describe(weight)}\n`)
  if (rows.length > 12) {
    process.stdout.write(
      `  ${`${rows.length - 12} more`.padEnd(34)} ${describe(sum(rows.slice(12).map(([, w]) => w)))}\n`,
    )
  }
}

function describe({files, bytes}: Weight): string {
  return `${(bytes / 1e6).toFixed(2).padStart(7)} MB ${String(files).padStart(5)} files`
}

main()
