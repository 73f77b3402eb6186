import {execFile, execFileSync, spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {promisify} from 'node:util'
import {eventually} from '../waiting.ts'

const run = promisify(execFile)
const LIMIT_MS = 60_000

export const IMAGE = 'localhost/atomctl-test:1'
const PROGRAMS = [
  'sh',
  'cat',
  'env',
  'id',
  'ls',
  'sleep',
  'touch',
  'mkdir',
  'seq',
  'head',
  'ln',
  'mkfifo',
  'rm',
  'sha256sum',
  'wc',
]

/**
 * Ways to run containers, the plainest first. Where processes may not set limits, or cgroups are of both versions, as
 * in build sandboxes, containers go without, in a mount namespace that has version 2 alone.
 */
const WAYS = [
  {name: 'plain', settings: '', wrap: (words: string[]) => words},
  {
    name: 'without cgroups',
    settings: 'cgroups = "disabled"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n',
    wrap: (words: string[]) => words,
  },
  {
    name: 'without cgroups, in a namespace',
    settings: 'cgroups = "disabled"\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n',
    wrap: (words: string[]) => ['unshare', '--mount', 'sh', '-c', `${NAMESPACE}; exec "$@"`, 'sh', ...words],
  },
]
const NAMESPACE = [
  'mount --make-rprivate /',
  '(umount -l -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup) 2>/dev/null',
].join('; ')

/** Podman's Docker-compatible service with a storage of its own, and an image in it that was never on a registry. */
export class Podman {
  readonly socket: string
  readonly #directory: string
  readonly #service: ChildProcess
  readonly #podman: (args: string[]) => Promise<string>

  private constructor(directory: string, service: ChildProcess, podman: (args: string[]) => Promise<string>) {
    this.#directory = directory
    this.socket = join(directory, 'podman.sock')
    this.#service = service
    this.#podman = podman
  }

  /** Or why containers cannot be run here. */
  static async start(): Promise<Podman | {missing: string}> {
    const problems: string[] = []
    for (const way of process.platform === 'linux' ? WAYS : []) {
      const directory = mkdtempSync(join(tmpdir(), 'podman-'))
      const env = prepare(directory, way.settings)
      const words = (args: string[]): string[] => way.wrap(['podman', ...args])
      const podman = async (args: string[]): Promise<string> => {
        const [file = '', ...rest] = words(args)
        return (await run(file, rest, {env, timeout: LIMIT_MS, encoding: 'utf8'})).stdout
      }
      try {
        await podman(['import', join(directory, 'root.tar'), IMAGE])
        await podman(['run', '--rm', '--network=none', IMAGE, '/bin/sh', '-c', 'exit 0'])
        return await serve(directory, env, words, (...made) => new Podman(...made), podman)
      } catch (error) {
        problems.push(
          `${way.name}: ${String((error as {stderr?: unknown}).stderr ?? error)
            .trim()
            .split('\n')
            .at(-1)}`,
        )
        await discard(directory)
      }
    }
    return {missing: `Podman runs no containers here (${problems.join('; ') || process.platform})`}
  }

  /** Ids of the containers that there are, running or not. */
  async containers(): Promise<string[]> {
    return (await this.#podman(['ps', '--all', '--quiet'])).split('\n').filter((id) => id !== '')
  }

  async command(...args: string[]): Promise<string> {
    return this.#podman(args)
  }

  async stop(): Promise<void> {
    await this.#podman(['rm', '--all', '--force', '--time', '0']).catch(() => {})
    const exited = once(this.#service, 'exit')
    if (this.#service.exitCode === null && this.#service.signalCode === null) {
      this.#service.kill('SIGTERM')
      await exited
    }
    await discard(this.#directory)
  }
}

/** What Podman leaves running tidies up in there at the same time. */
async function discard(directory: string): Promise<void> {
  await eventually('the storage of Podman is removed', async () => {
    await rm(directory, {recursive: true, force: true}).catch(() => {})
    return !existsSync(directory)
  })
}

/** For the start of a suite, the image also under other names; skips it where no container runs, saying so. */
export async function requirePodman(context: Mocha.Context, names: readonly string[] = []): Promise<Podman> {
  const podman = await Podman.start()
  if (podman instanceof Podman) {
    for (const name of names) await podman.command('tag', IMAGE, name)
    return podman
  }
  console.log(`      ${podman.missing}`)
  return context.skip()
}

async function serve(
  directory: string,
  env: NodeJS.ProcessEnv,
  words: (args: string[]) => string[],
  make: (...made: [string, ChildProcess, (args: string[]) => Promise<string>]) => Podman,
  podman: (args: string[]) => Promise<string>,
): Promise<Podman> {
  const socket = join(directory, 'podman.sock')
  const [file = '', ...rest] = words(['system', 'service', '--time', '0', `unix://${socket}`])
  const service = spawn(file, rest, {env, stdio: 'ignore'})
  await eventually('the socket of Podman', () => existsSync(socket) || service.exitCode !== null, 30)
  if (service.exitCode !== null) throw new Error(`podman system service ended with ${service.exitCode}`)
  return make(directory, service, podman)
}

function prepare(directory: string, settings: string): NodeJS.ProcessEnv {
  const storage = `[storage]\ndriver = "vfs"\nrunroot = "${directory}/run"\ngraphroot = "${directory}/graph"\n`
  writeFileSync(join(directory, 'storage.conf'), storage)
  const engine = `[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n`
  writeFileSync(join(directory, 'containers.conf'), `[containers]\n${settings}${engine}`)
  makeRoot(join(directory, 'root'))
  execFileSync('tar', ['-C', join(directory, 'root'), '-cf', join(directory, 'root.tar'), '.'])
  rmSync(join(directory, 'root'), {recursive: true})
  return {
    ...process.env,
    CONTAINERS_CONF: join(directory, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(directory, 'storage.conf'),
  }
}

/** A few programs of this machine with the libraries that they load: all that an image needs. */
function makeRoot(root: string): void {
  for (const folder of ['bin', 'tmp', 'etc', 'dev', 'proc', 'sys']) mkdirSync(join(root, folder), {recursive: true})
  writeFileSync(join(root, 'etc', 'passwd'), 'root:x:0:0:root:/:/bin/sh\n')
  for (const name of PROGRAMS) {
    const program = execFileSync('sh', ['-c', `command -v ${name}`], {encoding: 'utf8'}).trim()
    copyFileSync(program, join(root, 'bin', name))
    const libraries = execFileSync('ldd', [program], {encoding: 'utf8'}).matchAll(/(\/\S+\.so\S*)/g)
    for (const [, library = ''] of libraries) {
      mkdirSync(join(root, dirname(library)), {recursive: true})
      copyFileSync(library, join(root, library))
    }
  }
}
