import {readFileSync} from 'node:fs'
import {setTimeout as delay} from 'node:timers/promises'
import {type Benchmark, formatMilliseconds, median, type Row} from './measure.ts'
import {Sandbox} from './sandbox.ts'

const IDLE_AFTER_MILLISECONDS = 10_000

/** `dev up` on an empty folder, then again on the same one; and what the services hold when nobody asks them. */
export const devServices: Benchmark = async ({smoke}) => {
  const first: number[] = []
  const later: number[] = []
  const idle: number[] = []
  for (let round = 0; round < (smoke ? 1 : 3); round += 1) {
    await using sandbox = new Sandbox()
    first.push((await sandbox.startServices()).milliseconds)
    await sandbox.stopServices()
    later.push((await sandbox.startServices()).milliseconds)
    await delay(smoke ? 1000 : IDLE_AFTER_MILLISECONDS)
    idle.push(await residentMebibytes(sandbox))
  }
  return [
    timeRow('dev up is ready, the first time', median(first), 3000),
    timeRow('dev up is ready, later', median(later), 1500),
    memoryRow(median(idle)),
  ]
}

async function residentMebibytes(sandbox: Sandbox): Promise<number> {
  const {stdout} = await sandbox.run('dev', 'status', '-o', 'json')
  const pids = new Set([...stdout.matchAll(/"pid":\s*(\d+)/g)].map((match) => Number(match[1])))
  return [...pids].map(residentOf).reduce((sum, part) => sum + part, 0)
}

// The kernel's own figure; there is none on macOS and Windows.
function residentOf(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kibibytes) / 1024
}

function timeRow(claim: string, time: number, limit: number): Row {
  return {claim, measured: formatMilliseconds(time), aim: `≤ ${formatMilliseconds(limit)}`, met: time <= limit}
}

function memoryRow(resident: number): Row {
  const claim = 'registry and runtime, idle: resident memory'
  return {claim, measured: `${resident.toFixed(0)} MiB`, aim: '≤ 350 MiB', met: resident <= 350}
}
