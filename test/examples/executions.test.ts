import {createServer, type IncomingMessage, type Server} from 'node:http'
import {cpSync, globSync} from 'node:fs'
import {once} from 'node:events'
import {fileURLToPath} from 'node:url'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey} from '../support/packages.ts'

const TOKEN = 'rel_canary-of-the-examples'
const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url))

describe('the example packages on the embedded services', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  let server: Server
  let origin: string
  const requests: string[] = []
  const tokens = new Set<string | undefined>()

  before(async () => {
    sandbox = await createSandbox({ATOMCTL_SECRET_API_TOKEN: TOKEN})
    cpSync(EXAMPLES, sandbox.path('examples'), {recursive: true})
    server = createServer((request: IncomingMessage, response) => {
      requests.push(`${request.method} ${request.url}`)
      tokens.add(request.headers.authorization)
      const isThere = request.url !== '/broken' && request.url !== '/releases/0.0.0'
      response.writeHead(isThere ? 200 : 503).end('{"status":"ok","receipt":"no. 7","id":"17"}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `http://127.0.0.1:${(server.address() as {port: number}).port}`
    await trustOwnKey(sandbox)
    await expectSuccess(sandbox.atomctl(['dev', 'up', '--registry-port', '0', '--runtime-port', '0']))
    const files = globSync('examples/*.wpk.yaml', {cwd: sandbox.home})
    await expectSuccess(sandbox.atomctl(['sign', ...files]))
    await expectSuccess(sandbox.atomctl(['pack', 'examples/collect-diagnostics', '--sign']))
    await expectSuccess(sandbox.atomctl(['push', ...files, 'collect-diagnostics-1.0.0.wpk.tar.gz']))
  })
  after(async () => {
    await sandbox.atomctl(['dev', 'down'])
    await sandbox[Symbol.asyncDispose]()
    server.close()
  })

  const run = (name: string, ...args: string[]): Promise<RunResult> =>
    sandbox.atomctl(['run', `${name}-1.0.0`, '--wait', ...args.map((arg) => arg.replace('ORIGIN', origin))])

  const runs: [title: string, name: string, args: string[], code: number, output: RegExp][] = [
    [
      'hello-shell greets whom it is told to',
      'hello-shell',
      ['-p', 'name=Ada; echo pwned'],
      0,
      /Hello, Ada; echo pwned!/,
    ],
    ['disk-report passes below the limit', 'disk-report', ['-p', 'limit_percent=100'], 0, /limit 100 %/],
    [
      'disk-report fails above the limit',
      'disk-report',
      ['-p', 'limit_percent=1', '-p', 'directory=/'],
      20,
      /limit 1 %/,
    ],
    ['http-health-check finds a healthy URL', 'http-health-check', ['-p', 'url=ORIGIN/health'], 0, /healthy: http/],
    ['collect-diagnostics runs the script it brought along', 'collect-diagnostics', [], 0, /wrote report\.txt/],
    ['retry-demo succeeds on the third attempt', 'retry-demo', [], 0, /done after 3 attempts/],
    ['retry-demo fails when no attempt is left', 'retry-demo', ['-p', 'succeeds_on=9'], 20, /attempt 4 of 9/],
    [
      'rollback-demo takes back the last change first',
      'rollback-demo',
      [],
      23,
      /feature disabled[^]*configuration removed/,
    ],
    ['rollback-demo keeps its changes when all is well', 'rollback-demo', ['-p', 'healthy=true'], 0, /healthy: true/],
  ]
  for (const [title, name, args, code, output] of runs) {
    it(title, async () => {
      const result = await run(name, ...args)
      expect(result.code, result.stderr).to.equal(code)
      expect(result.stdout + result.stderr).to.match(output)
    })
  }

  it('retry-demo shows its attempts in its status and in its log', async () => {
    const {stdout} = await run('retry-demo')
    const id = /Execution ID: (\S+)/.exec(stdout)?.[1] ?? ''
    const status = await sandbox.atomctl(['status', id, '-o', 'json'])
    const {steps} = (JSON.parse(status.stdout) as {data: {steps: {name: string; attempt: number}[]}}).data
    expect(steps[0]?.attempt).to.equal(3)
    expect((await sandbox.atomctl(['status', id])).stdout).to.match(/ATTEMPT[^]*completed +3 /)
    const log = (await sandbox.atomctl(['logs', id])).stdout
    for (const attempt of [1, 2]) expect(log).to.match(new RegExp(`attempt ${attempt} of \\d failed: exit code`))
  })

  it('http-health-check asks an unhealthy URL three times and then fails', async () => {
    requests.length = 0
    const result = await run('http-health-check', '-p', 'url=ORIGIN/broken')
    expect(result.code).to.equal(20)
    expect(requests).to.deep.equal(['GET /broken', 'GET /broken', 'GET /broken'])
  })

  it('service-snapshot hands values from one handler to the next', async () => {
    requests.length = 0
    const result = await run('service-snapshot', '-p', 'url=ORIGIN/health', '-p', 'webhook_url=ORIGIN/snapshots')
    expect(result.code, result.stderr).to.equal(0)
    expect(result.stderr).to.contain(`service ${origin}/health says ok`).and.to.contain('announced 3 facts as no. 7')
    expect(requests).to.deep.equal(['GET /health', 'POST /snapshots'])
  })

  it('announce-release sends its token, undoes with it, and says it nowhere', async () => {
    for (const [release, code, more] of [
      ['2.4.0', 0, []],
      ['0.0.0', 23, ['POST /drafts/17/withdraw', 'DELETE /drafts/17']],
    ] as const) {
      requests.length = 0
      tokens.clear()
      const result = await run('announce-release', '-p', 'api_url=ORIGIN', '-p', `release=${release}`)
      expect(result.code, result.stderr).to.equal(code)
      const made = ['POST /drafts', 'POST /drafts/17/publish', `GET /releases/${release}`]
      expect(requests).to.deep.equal([...made, ...more])
      expect([...tokens]).to.have.members([`Bearer ${TOKEN}`, undefined])
      expect(result.stdout + result.stderr).not.to.contain(TOKEN)
    }
  })

  it('http-health-check needs to know its URL', async () => {
    const result = await run('http-health-check')
    expect(result.code).to.equal(2)
    expect(result.stderr).to.contain('url')
  })

  const target = ['-p', 'namespace=staging', '-p', 'deployment=web']
  const hook = 'https://hooks.example/x'
  const dryRuns: [string, string[]][] = [
    ['hello-shell', []],
    ['disk-report', []],
    ['http-health-check', ['-p', `url=${hook}`]],
    ['collect-diagnostics', []],
    ['service-snapshot', ['-p', `url=${hook}`, '-p', `webhook_url=${hook}`]],
    ['retry-demo', []],
    ['rollback-demo', []],
    ['announce-release', ['-p', `api_url=https://hooks.example`, '-p', 'release=2.4.0']],
    ['restart-unhealthy', target],
    ['scale-on-latency', [...target, '-p', 'max_replicas=4']],
    [
      'backup-verify',
      ['-p', 'namespace=b', '-p', 'backup_pod=b-0', '-p', 'staging_pod=s-0', '-p', `ci_webhook_url=${hook}`],
    ],
    [
      'rotate-secret',
      [
        ...target,
        ...['secret_name=s', 'new_role=b', 'old_role=a', `vault_addr=${hook}`, `app_health_url=${hook}`].flatMap(
          (pair) => ['-p', pair],
        ),
      ],
    ],
    [
      'requeue-job',
      ['namespace=b', 'job=j', 'image=r.example/j:1', 'attempt=3', `alert_webhook_url=${hook}`].flatMap((pair) => [
        '-p',
        pair,
      ]),
    ],
  ]
  for (const [name, args] of dryRuns) {
    it(`${name} can be tried in a dry run`, async () => {
      requests.length = 0
      const result = await run(name, '--dry-run', ...args)
      expect(result.code, result.stderr).to.equal(0)
      expect(result.stdout).to.match(/would (run|send)|UNKNOWN/)
      expect(requests).to.deep.equal([])
    })
  }
})

async function expectSuccess(result: Promise<RunResult>): Promise<void> {
  const {code, stderr, stdout} = await result
  if (code !== 0) throw new Error(`exit ${code}: ${stderr}${stdout}`)
}
