import {once} from 'node:events'
import {existsSync, readFileSync, writeFileSync} from 'node:fs'
import {createServer, type IncomingMessage, type Server} from 'node:http'
import {join} from 'node:path'
import {ROOT} from './rooms.ts'
import {Session, StepFailure} from './session.ts'

// npm run quickstart: the main job of atomctl from nothing to a finished run, in a temporary home and on free ports.
// Every command is real; the script fails as soon as one does not do what it says, and leaves nothing behind.

const UNSIGNED = 10
const TAMPERED = 11
const NOT_RUNNING = 6

async function main(): Promise<number> {
  const started = performance.now()
  const session = new Session({COSIGN_PASSWORD: 'quickstart'})
  const signals = watchSignals(session)
  const target = await Target.open()
  const failure = await play(session, target).then(
    () => undefined,
    (error: Error) => error,
  )
  await target.close()
  await session.close()
  if (signals.exit !== undefined) return signals.exit
  if (failure && !(failure instanceof StepFailure)) throw failure
  return report(failure ?? leftover(session), session, performance.now() - started)
}

function leftover({home}: Session): StepFailure | undefined {
  return existsSync(home) ? new StepFailure(`${home} is still there`) : undefined
}

function report(failure: StepFailure | undefined, {commands}: Session, milliseconds: number): number {
  if (failure) process.stderr.write(`\n[FAILED] ${failure.message}\n`)
  else
    process.stdout.write(
      `\nQuickstart passed: ${commands} commands in ${Math.round(milliseconds / 1000)} s, nothing left behind\n`,
    )
  return failure ? 1 : 0
}

async function play(session: Session, target: Target): Promise<void> {
  await prepare(session)
  await sign(session)
  await refuse(session)
  await publish(session)
  await execute(session, target)
  await stop(session)
}

async function prepare(session: Session): Promise<void> {
  session.say('Build atomctl from its sources')
  await session.run('npm run build', [join(ROOT, 'scripts', 'build.ts')])
  session.say('Start a registry and a runtime on this machine')
  await session.atomctl(['dev', 'up', '--registry-port', '0', '--runtime-port', '0'], {
    shows: [/Registry: http:\/\/127\.0\.0\.1:\d+/, /Runtime: http:\/\/127\.0\.0\.1:\d+/, 'Context: dev (current)'],
  })
  await session.atomctl(['dev', 'status'], {shows: [/Registry: .* healthy/, /Runtime: .* healthy/]})
}

async function sign(session: Session): Promise<void> {
  session.say('A key pair, and trust in it (the password comes from COSIGN_PASSWORD)')
  await session.atomctl(['keys', 'generate', '--trust'], {shows: ['cosign.key', 'cosign.pub']})
  session.say('Every example is a valid package')
  await session.atomctl(['validate', 'examples'], {shows: ['[SUCCESS] WPK validation passed']})
}

async function refuse(session: Session): Promise<void> {
  const file = join('examples', 'service-snapshot.wpk.yaml')
  session.say('An unsigned package is refused …')
  await session.atomctl(['push', file], {exit: UNSIGNED, shows: ['[ERROR] WPK must be signed before pushing']})
  await session.atomctl(['sign', file], {shows: ['[SUCCESS] Signed']})
  await session.atomctl(['verify', file], {shows: ['[SUCCESS]']})
  session.say('… and so is a signed one that somebody changed: one word of its description, in a copy')
  tamper(session, file)
  await session.atomctl(['verify', 'tampered.wpk.yaml'], {exit: TAMPERED, shows: ['[ERROR]']})
  await session.atomctl(['push', 'tampered.wpk.yaml'], {exit: TAMPERED, shows: ['[ERROR]']})
}

function tamper(session: Session, file: string): void {
  const text = readFileSync(join(session.directory, file), 'utf8')
  const changed = text.replace('and announce it', 'and hide it')
  if (changed === text) throw new StepFailure('the description to change is not there')
  writeFileSync(join(session.directory, 'tampered.wpk.yaml'), changed)
}

async function publish(session: Session): Promise<void> {
  session.say('A directory becomes a signed archive; both forms go to the registry')
  await session.atomctl(['pack', join('examples', 'collect-diagnostics'), '--sign'], {
    shows: ['[SUCCESS] Signed and packed: collect-diagnostics-1.0.0.wpk.tar.gz'],
  })
  for (const [file, id] of [
    [join('examples', 'service-snapshot.wpk.yaml'), 'service-snapshot-1.0.0'],
    ['collect-diagnostics-1.0.0.wpk.tar.gz', 'collect-diagnostics-1.0.0'],
  ] as const) {
    await session.atomctl(['push', file], {
      shows: ['[SUCCESS] WPK pushed successfully', `Workflow ID: ${id}`, 'Status: registered'],
    })
  }
  await session.atomctl(['list'], {
    shows: ['Found 2 workflows', 'service-snapshot v1.0.0', 'collect-diagnostics v1.0.0'],
  })
}

async function execute(session: Session, target: Target): Promise<void> {
  const run = [
    'run',
    'service-snapshot-1.0.0',
    '-p',
    `url=${target.url}/health`,
    '-p',
    `webhook_url=${target.url}/hook`,
  ]
  session.say('What would it do? Nothing is sent yet')
  await session.atomctl([...run, '--dry-run', '--wait'], {shows: [`would send GET ${target.url}/health`, 'would run']})
  target.expect([])
  session.say('Run it: two api handlers talk to a small server of this script, two shell handlers work in between')
  const output = await session.atomctl([...run, '--wait'], {
    shows: [
      '[SUCCESS] Execution started',
      `service ${target.url}/health says ok`,
      /disk +\d+% used/,
      'announced 3 facts as receipt-1',
      '[SUCCESS] Execution completed successfully',
    ],
  })
  target.expect(['GET /health', `POST /hook {"service":"${target.url}/health"`])
  const id = /Execution ID: (\S+)/.exec(output)?.[1] ?? ''
  session.say('Look at it again')
  await session.atomctl(['status', id], {shows: [`Execution Status: ${id}`, 'Status: completed', 'Progress: 4/4']})
  await session.atomctl(['logs', id], {shows: ['announced 3 facts as receipt-1']})
  session.say('The archive brings a script along, and a parameter')
  await session.atomctl(['run', 'collect-diagnostics-1.0.0', '-p', 'top_processes=3', '--wait'], {
    shows: ['wrote report.txt', 'the 3 busiest processes', '[SUCCESS] Execution completed successfully'],
  })
  await session.atomctl(['executions'], {
    shows: [id, 'service-snapshot-1.0.0', 'collect-diagnostics-1.0.0', '(dry run)'],
  })
}

async function stop(session: Session): Promise<void> {
  session.say('Stop what was started')
  await session.atomctl(['dev', 'down'], {shows: ['[SUCCESS] Registry and runtime stopped']})
  await session.atomctl(['dev', 'status'], {exit: NOT_RUNNING})
}

/** The server that the api handlers talk to; it remembers what they asked. */
class Target {
  readonly url: string
  readonly #server: Server
  readonly #requests: string[]

  private constructor(server: Server, url: string, requests: string[]) {
    this.#server = server
    this.url = url
    this.#requests = requests
  }

  static async open(): Promise<Target> {
    const requests: string[] = []
    const server = createServer(async (request, response) => {
      requests.push(`${request.method} ${request.url} ${await readBody(request)}`.trim())
      const answer = request.method === 'POST' ? {receipt: `receipt-${countPosts(requests)}`} : {status: 'ok'}
      response.writeHead(200, {'content-type': 'application/json'}).end(JSON.stringify(answer))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const {port} = server.address() as {port: number}
    return new Target(server, `http://127.0.0.1:${port}`, requests)
  }

  /** Compares the beginning of each request since the last call. @throws StepFailure */
  expect(wanted: readonly string[]): void {
    const seen = this.#requests.splice(0)
    if (seen.length === wanted.length && wanted.every((text, index) => seen[index]?.startsWith(text))) return
    throw new StepFailure(`the server was asked ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`)
  }

  close(): Promise<unknown> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(resolve))
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += chunk as string
  return body
}

function countPosts(requests: readonly string[]): number {
  return requests.filter((request) => request.startsWith('POST')).length
}

/** Ctrl-C and SIGTERM end the running command; what was started is stopped and removed like after a failure. */
function watchSignals(session: Session): {exit: number | undefined} {
  const seen: {exit: number | undefined} = {exit: undefined}
  for (const [signal, exit] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      seen.exit ??= exit
      session.interrupt()
    })
  }
  return seen
}

if (!existsSync(join(ROOT, 'node_modules', 'typescript'))) {
  process.stderr.write('quickstart: nothing is installed yet: npm ci\n')
  process.exit(1)
}
process.exitCode = await main()
