import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {atomctl, type ProcessResult, runMeasured, runProcess} from './measure.ts'

/** A temporary home in which atomctl runs: no settings, keys, caches or services of the person at the keyboard. */
export class Sandbox implements AsyncDisposable {
  readonly home = mkdtempSync(join(tmpdir(), 'atomctl-bench-'))
  readonly env: NodeJS.ProcessEnv
  #servicesRun = false

  constructor() {
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('ATOMCTL_'))
    this.env = {
      ...Object.fromEntries(kept),
      HOME: this.home,
      USERPROFILE: this.home,
      XDG_CACHE_HOME: join(this.home, '.cache'),
      COSIGN_PASSWORD: 'bench',
      NO_COLOR: '1',
      CI: '1',
    }
  }

  path(...parts: readonly string[]): string {
    return join(this.home, ...parts)
  }

  run(...words: readonly string[]): Promise<ProcessResult> {
    return runProcess(atomctl(...words), {cwd: this.home, env: this.env})
  }

  measure(...words: readonly string[]): Promise<ProcessResult> {
    return this.measureNode(atomctl(...words))
  }

  measureNode(args: readonly string[]): Promise<ProcessResult> {
    return runMeasured(args, this.path('peak-memory'), {cwd: this.home, env: this.env})
  }

  /** Starts the embedded services on free ports; their data lies in the sandbox. */
  async startServices(): Promise<ProcessResult> {
    this.#servicesRun = true
    return this.run('dev', 'up', '--registry-port', '0', '--runtime-port', '0')
  }

  async stopServices(): Promise<void> {
    if (this.#servicesRun) await this.run('dev', 'down')
    this.#servicesRun = false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stopServices()
    rmSync(this.home, {recursive: true, force: true})
  }
}
