import {spawn} from 'node:child_process'
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {performance} from 'node:perf_hooks'
import {pathToFileURL} from 'node:url'
import {ROOT} from '../scripts/rooms.ts'

/** One line of the table: a claim, what this run measured, the aim, and whether the aim is met. */
export interface Row {
  readonly claim: string
  readonly measured: string
  readonly aim: string
  readonly met: boolean
}

export interface Options {
  /** Few rounds and small data: shows that a benchmark works, its figures mean little. */
  readonly smoke: boolean
}

/** A benchmark answers one or more claims; it cleans up after itself. */
export type Benchmark = (options: Options) => Promise<Row[]>

/** How one finished process behaved. */
export interface ProcessResult {
  readonly milliseconds: number
  /** Unix time in milliseconds at which the process was gone. */
  readonly endedAt: number
  /** Highest resident memory in MiB, as the process itself saw it on its way out. */
  readonly peakMebibytes: number
  readonly stdout: string
}

export interface ProcessOptions {
  readonly cwd?: string
  readonly env: NodeJS.ProcessEnv
}

/** The arguments of Node that run the built CLI. */
export function atomctl(...words: readonly string[]): string[] {
  return [join(ROOT, 'bin', 'run.js'), ...words]
}

/** Runs Node to its end. @throws when it exits with another code than 0. */
export function runProcess(args: readonly string[], options: ProcessOptions): Promise<ProcessResult> {
  return runProgram(process.execPath, args, options)
}

/** The same of any program. */
export function runProgram(program: string, args: readonly string[], options: ProcessOptions): Promise<ProcessResult> {
  const started = performance.now()
  const child = spawn(program, args, {...options, stdio: ['ignore', 'pipe', 'pipe']})
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
  let ended = {milliseconds: 0, endedAt: 0}
  child.on('exit', () => (ended = {milliseconds: performance.now() - started, endedAt: Date.now()}))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      if (code !== 0) return reject(new Error(`${args.join(' ')} exited ${code}: ${Buffer.concat(stderr).toString()}`))
      resolve({...ended, peakMebibytes: Number.NaN, stdout: Buffer.concat(stdout).toString()})
    })
  })
}

/** Like runProcess, and learns the peak memory from a preload that writes it to `report` when the process exits. */
export async function runMeasured(
  args: readonly string[],
  report: string,
  options: ProcessOptions,
): Promise<ProcessResult> {
  const preload = pathToFileURL(join(ROOT, 'benchmarks', 'peak-memory.mjs')).href
  const env = {...options.env, PEAK_MEMORY_FILE: report}
  const result = await runProcess(['--import', preload, ...args], {...options, env})
  return {...result, peakMebibytes: Number(readFileSync(report, 'utf8')) / 1024}
}

/** The middle of the values; of an even number of them, the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted[Math.floor((sorted.length - 1) / 2)]
  if (middle === undefined) throw new Error('no values')
  return middle
}

/** Medians of several programs, run in turn, so that whatever else the machine does meets all of them alike. */
export async function interleave(
  rounds: number,
  programs: Readonly<Record<string, () => Promise<ProcessResult>>>,
): Promise<Map<string, number>> {
  const times = new Map(Object.keys(programs).map((name) => [name, [] as number[]]))
  // One round that does not count fills the caches: the file system's, and Node's compile cache.
  for (const run of Object.values(programs)) await run()
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, run] of Object.entries(programs)) times.get(name)?.push((await run()).milliseconds)
  }
  return new Map([...times].map(([name, values]) => [name, median(values)]))
}

export function formatMilliseconds(value: number): string {
  return value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(2)} s`
}
