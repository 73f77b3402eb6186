import {once} from 'node:events'
import {mkdir, readdir, utimes, writeFile} from 'node:fs/promises'
import {createServer, type Server} from 'node:http'
import {join} from 'node:path'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../../../test/support/atomctl.ts'
import {trustOwnKey} from '../../../test/support/packages.ts'
import {startServices, stopServices} from '../../../test/support/services.ts'
import {shippedNames} from '../src/shipped.ts'

const NAMES = await shippedNames()
const URL_OF = 'https://hooks.internal/x'

/** Parameters that a try of each template needs. */
const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  hello: [],
  restart: ['namespace=a', 'deployment=web'],
  'scale-on-latency': ['namespace=a', 'deployment=web'],
  'rotate-secret': [
    'namespace=a',
    'deployment=web',
    'secret_name=s',
    'new_role=b',
    'old_role=a',
    `vault_addr=${URL_OF}`,
    `app_health_url=${URL_OF}`,
  ],
  'backup-verify': ['namespace=a', 'backup_pod=b-0', 'staging_pod=s-0', `ci_webhook_url=${URL_OF}`],
  'requeue-job': ['namespace=a', 'job=j', 'image=r.internal/j:1', 'attempt=3', `alert_webhook_url=${URL_OF}`],
  'drain-node': ['node=worker-3'],
  'canary-rollback': ['namespace=a', 'canary=web-canary', 'stable=web', `health_url=${URL_OF}`, 'reason=errors'],
  'certificate-renewal': ['namespace=a', 'certificate=c', 'deployment=web', `url=${URL_OF}`],
  'disk-cleanup': ['directory=/var/none', 'quarantine=/var/none'],
  'database-failover': ['leader_url=https://a', 'candidate_url=https://b', 'leader=a', 'candidate=b'],
  'incident-snapshot': ['incident=INC-1', `service_url=${URL_OF}`],
  'http-smoke-test': [`health_url=${URL_OF}`, `ready_url=${URL_OF}`, `protected_url=${URL_OF}`],
}

describe('what init writes, on the embedded services', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  let server: Server
  let origin: string
  let broken = ''
  const requests: string[] = []

  before(async () => {
    sandbox = await createSandbox()
    server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`)
      const status = request.url === broken ? 503 : request.url?.startsWith('/admin') ? 401 : 200
      response.writeHead(status).end('{"status":"ok"}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    origin = `http://127.0.0.1:${(server.address() as {port: number}).port}`
    await trustOwnKey(sandbox)
    await startServices(sandbox)
    for (const name of NAMES) await succeed('init', `my-${name}`, '--template', name)
    const files = NAMES.map((name) => `my-${name}.wpk.yaml`)
    await succeed('validate', '--strict', ...files)
    await succeed('sign', ...files)
    await succeed('push', ...files)
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
    server.close()
  })
  beforeEach(() => {
    requests.length = 0
    broken = ''
  })

  async function succeed(...args: string[]): Promise<RunResult> {
    const result = await sandbox.atomctl(args)
    expect(result.code, `${args.join(' ')}\n${result.stderr}${result.stdout}`).to.equal(0)
    return result
  }

  const run = (name: string, parameters: readonly string[], ...more: string[]): Promise<RunResult> => {
    const pairs = parameters.map((pair) => pair.replace('ORIGIN', origin)).flatMap((pair) => ['-p', pair])
    return sandbox.atomctl(['run', `my-${name}-1.0.0`, '--wait', ...pairs, ...more])
  }

  for (const name of NAMES) {
    it(`${name} can be tried in a dry run that touches nothing`, async () => {
      const {code, stdout, stderr} = await run(name, PARAMETERS[name] ?? [], '--dry-run')
      expect(code, stderr).to.equal(0)
      expect(stdout).to.contain('[SUCCESS]')
      expect(requests).to.deep.equal([])
    })
  }

  it('hello says hello', async () => {
    expect((await run('hello', ['name=Ada'])).stderr).to.contain('Hello, Ada!')
  })

  it('http-smoke-test asks its three questions, and fails on the first wrong answer', async () => {
    const asked = ['health_url=ORIGIN/health', 'ready_url=ORIGIN/ready']
    const {code, stderr} = await run('http-smoke-test', [...asked, 'protected_url=ORIGIN/admin'])
    expect(code, stderr).to.equal(0)
    expect(requests).to.deep.equal(['GET /health', 'GET /ready', 'GET /admin'])
    const open = await run('http-smoke-test', [...asked, 'protected_url=ORIGIN/open'])
    expect(open.code).to.equal(20)
  })

  it('incident-snapshot records the host even when the service is sick', async () => {
    broken = '/state'
    const {code, stderr} = await run('incident-snapshot', ['incident=INC-7', 'service_url=ORIGIN/state'])
    expect(code, stderr).to.equal(0)
    expect(stderr).to.match(/incident INC-7, host .*--- disks.*recorded \d+ lines for INC-7/s)
  })

  it('database-failover checks, switches over and checks again, after the dry run it asks for', async () => {
    const parameters = ['leader_url=ORIGIN', 'candidate_url=ORIGIN', 'leader=db-0', 'candidate=db-1']
    await run('database-failover', parameters, '--dry-run')
    const {code, stderr} = await run('database-failover', parameters)
    expect(code, stderr).to.equal(0)
    expect(requests).to.deep.equal([
      'GET /primary',
      'GET /replica?lag=1MB',
      'POST /switchover',
      'GET /primary',
      'GET /replica',
    ])
  })

  describe('disk-cleanup', () => {
    let data: string
    let quarantine: string
    beforeEach(async () => {
      data = sandbox.path('data', 'logs')
      quarantine = sandbox.path('quarantine')
      await mkdir(data, {recursive: true})
      await mkdir(quarantine, {recursive: true})
      for (const file of ['old.log', 'o d; touch pwned.log', 'new.log', 'old.txt'])
        await writeFile(join(data, file), file)
      const old = new Date('2020-01-01')
      for (const file of ['old.log', 'o d; touch pwned.log', 'old.txt']) await utimes(join(data, file), old, old)
    })

    it('moves the old files that match into the quarantine, whatever their names', async () => {
      const {code, stderr} = await run('disk-cleanup', [
        `directory=${data}`,
        `quarantine=${quarantine}`,
        'limit_percent=100',
      ])
      expect(code, stderr).to.equal(0)
      expect((await readdir(data)).toSorted()).to.deep.equal(['new.log', 'old.txt'])
      expect(await readdir(quarantine)).to.have.length(1)
    })

    it('puts everything back when too little was freed', async () => {
      const {code, stderr} = await run('disk-cleanup', [
        `directory=${data}`,
        `quarantine=${quarantine}`,
        'limit_percent=1',
      ])
      expect(code, stderr).to.equal(23)
      expect(await readdir(data)).to.have.members(['old.log', 'o d; touch pwned.log', 'new.log', 'old.txt'])
    })

    it('takes neither the root nor what lies directly below it', async () => {
      for (const directory of ['/', '/var', 'relative', '/a/../..', `/x/$(id)`]) {
        const {code} = await run('disk-cleanup', [`directory=${directory}`, `quarantine=${quarantine}`])
        expect(code, directory).to.equal(2)
      }
    })
  })

  it('a package of the registry is a template too, once it is verified', async () => {
    await succeed('templates', 'add', 'my-hello-1.0.0', '--name', 'greeting')
    await succeed('init', 'hi', '--template', 'greeting')
    await succeed('validate', 'hi.wpk.yaml', '--strict')
    expect((await sandbox.atomctl(['verify', 'hi.wpk.yaml'])).code).to.equal(10)
  })

  it('a package of the registry that nobody trusted signed is refused, and nothing is kept', async () => {
    await writeFile(sandbox.path('strict.yaml'), 'default:\n  level: strict\n')
    const args = ['--trust-policy', sandbox.path('strict.yaml')]
    const added = await sandbox.atomctl(['templates', 'add', 'my-hello-1.0.0', '--name', 'untrusted', ...args])
    expect(added.code, added.stderr).to.equal(12)
    expect((await sandbox.atomctl(['init', 'no', '--template', 'my-hello-1.0.0', ...args])).code).to.equal(12)
    expect((await sandbox.atomctl(['templates', 'list', '-o', 'name'])).stdout).not.to.contain('untrusted')
  })
})
