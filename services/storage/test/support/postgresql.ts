import {execFile, spawn, type ChildProcess, type SpawnOptions} from 'node:child_process'
import {once} from 'node:events'
import {chown, mkdtemp, readdir, rm} from 'node:fs/promises'
import {createServer, type AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {promisify} from 'node:util'

export interface TestDatabase {
  readonly url: string
  /** The server itself, when it is the test's own and not the one of ATOMCTL_TEST_DATABASE_URL. */
  readonly server?: TestServer
  stop(): Promise<void>
}

/** A PostgreSQL server that a test may kill. */
export interface TestServer {
  readonly port: number
  /** Of its data. */
  readonly directory: string
  /** SIGKILL is a crash, SIGINT what a restart does: sessions are ended, no new ones let in. */
  kill(signal: 'SIGKILL' | 'SIGINT'): Promise<void>
  /** On the same port with the same data; recovery included. */
  start(): Promise<void>
}

const DEBIAN = '/usr/lib/postgresql'
const NOBODY = 65534

/**
 * An empty PostgreSQL database: the one of ATOMCTL_TEST_DATABASE_URL, else a server of its own from Debian's
 * packages on a loopback port. Undefined when the machine has neither; the caller skips.
 */
export async function startPostgresql(): Promise<TestDatabase | undefined> {
  const given = process.env['ATOMCTL_TEST_DATABASE_URL']
  if (given) return {url: given, stop: async () => {}}
  const version = (await readdir(DEBIAN).catch(() => []))[0]
  return version === undefined ? undefined : startServer(join(DEBIAN, version, 'bin'))
}

async function startServer(binaries: string): Promise<TestDatabase> {
  const directory = await mkdtemp(join(tmpdir(), 'atomctl-postgresql-'))
  const root = process.getuid?.() === 0 // PostgreSQL refuses to run as root
  const identity: SpawnOptions = root ? {uid: NOBODY, gid: NOBODY, cwd: directory} : {cwd: directory}
  if (root) await chown(directory, NOBODY, NOBODY)
  const data = join(directory, 'data')
  const initdb = ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', '-E', 'UTF8']
  await promisify(execFile)(join(binaries, 'initdb'), initdb, identity)
  const port = await freePort()
  const settings = ['-D', data, '-p', String(port), '-k', directory, '-h', '127.0.0.1', '-c', 'fsync=off']
  const boot = async (): Promise<ChildProcess> => {
    const child = spawn(join(binaries, 'postgres'), settings, {...identity, stdio: ['ignore', 'ignore', 'pipe']})
    await waitUntilReady(child)
    return child
  }
  let server = await boot()
  const kill = async (signal: 'SIGKILL' | 'SIGINT') => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const exit = once(server, 'exit')
    server.kill(signal)
    await exit
  }
  const stop = async () => {
    await kill('SIGINT')
    await rm(directory, {recursive: true, force: true, maxRetries: 10})
  }
  const start = async () => {
    if (server.exitCode !== null || server.signalCode !== null) server = await bootAgain(boot)
  }
  return {url: `postgresql://postgres@127.0.0.1:${port}/postgres`, server: {port, directory: data, kill, start}, stop}
}

/** The sessions of a server that was killed live on for a moment, and no new one starts beside them. */
async function bootAgain(boot: () => Promise<ChildProcess>): Promise<ChildProcess> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await boot()
    } catch (error) {
      if (attempt === 100) throw error
      await delay(100)
    }
  }
}

async function waitUntilReady(server: ChildProcess): Promise<void> {
  let log = ''
  await new Promise<void>((resolve, reject) => {
    server.stderr?.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (log.includes('ready to accept connections')) resolve()
    })
    server.once('exit', () => reject(new Error(`PostgreSQL did not start: ${log}`)))
  })
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const {port} = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}
