import {execFileSync} from 'node:child_process'
import {ROOT} from '../rooms.ts'

export interface ProgramOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs a program to its end, without a shell, and returns what it printed. @throws Error with what it said when it fails */
export function runProgram(name: string, args: readonly string[], {cwd = ROOT, env = {}}: ProgramOptions = {}): string {
  return execFileSync(name, args, {
    cwd,
    env: {...process.env, ...env},
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}
