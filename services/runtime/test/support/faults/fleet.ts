import {join} from 'node:path'
import type {TestServer} from '../../../../storage/test/support/postgresql.ts'
import {ServerProcess} from '../process.ts'
import {NetworkProxy} from './proxy.ts'

/** Short, so that a dead runtime's executions are soon carried on. */
export const LEASE_MS = 6_000

/** One place for a runtime: the process in it may die and be replaced, its network to the database may fail. */
export class Seat {
  /** None on the embedded database. */
  readonly proxy: NetworkProxy | undefined
  readonly directory: string
  readonly #policyFile: string
  readonly #environment: Readonly<Record<string, string>>
  process: ServerProcess | undefined
  #isFrozen = false

  constructor(
    directory: string,
    policyFile: string,
    proxy?: NetworkProxy,
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.directory = directory
    this.#policyFile = policyFile
    this.proxy = proxy
    this.#environment = environment
  }

  get isUp(): boolean {
    return !this.#isFrozen && (this.process?.isRunning ?? false)
  }

  async start(): Promise<void> {
    if (this.process?.isRunning) return
    const url = this.proxy && `postgresql://postgres@127.0.0.1:${this.proxy.port}/postgres`
    this.process = await ServerProcess.start(this.directory, this.#policyFile, url, {
      ATOMCTL_TEST_LEASE_MS: String(LEASE_MS),
      ATOMCTL_TEST_LOG: `${this.directory}.log`,
      ...this.#environment,
    })
  }

  freeze(): void {
    this.process?.signal('SIGSTOP')
    this.#isFrozen = true
  }

  thaw(): void {
    this.process?.signal('SIGCONT')
    this.#isFrozen = false
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.process?.kill(signal)
    this.#isFrozen = false
  }

  async restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    await this.kill(signal)
    await this.start()
  }
}

/** Several runtimes on one PostgreSQL, each behind a network of its own; or the one on an embedded database. */
export class Fleet {
  readonly seats: readonly Seat[]

  private constructor(seats: readonly Seat[]) {
    this.seats = seats
  }

  static async start(size: number, server: TestServer, directory: string, policyFile: string): Promise<Fleet> {
    const seats: Seat[] = []
    for (let number = 0; number < size; number += 1) {
      const proxy = await NetworkProxy.start(server.port)
      seats.push(new Seat(join(directory, `runtime-${number}`), policyFile, proxy))
    }
    // One after the other: the first makes the tables.
    for (const seat of seats) await seat.start()
    return new Fleet(seats)
  }

  static async startEmbedded(directory: string, policyFile: string): Promise<Fleet> {
    const seat = new Seat(join(directory, 'runtime'), policyFile)
    await seat.start()
    return new Fleet([seat])
  }

  /** Those that may answer. */
  get up(): readonly Seat[] {
    return this.seats.filter(({isUp}) => isUp)
  }

  async heal(): Promise<void> {
    for (const seat of this.seats) {
      seat.proxy?.heal()
      seat.thaw()
      await seat.start()
    }
  }

  async stop(): Promise<void> {
    for (const seat of this.seats) {
      seat.proxy?.heal()
      await seat.kill('SIGKILL')
      await seat.proxy?.stop()
    }
  }
}
