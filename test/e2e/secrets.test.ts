import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import {statSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import type {AddressInfo} from 'node:net'
import {openStorage} from '@atomctl/storage'
import {expect} from 'chai'
import {ROOT_TOKEN, VaultDouble} from '../../services/runtime/test/support/vault.ts'
import {eventually} from '../../services/runtime/test/support/waiting.ts'
import {Canaries} from '../support/canaries.ts'
import {createSandbox, finished, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {packageText, trustOwnKey} from '../support/packages.ts'
import {readServices, startServices, stopServices} from '../support/services.ts'

const FROM_VAULT = 'vault-canary/+"q7-x9$z'
const FROM_ENV = 'env_canary&8d71=kk w'
const canaries = new Canaries([FROM_VAULT, FROM_ENV, 'secret-id-canary', ROOT_TOKEN])

const PARAMETERS = `  parameters:
    - {name: db_password, type: secret, required: true, sources: [vault, env], vault: {path: secret/data/db, key: password}}
    - {name: api_key, type: secret, sources: [env]}
`
/** Says what it was given in every way a program might. */
const TALK = [
  'printf %s "$DB_PASSWORD"; echo',
  'printf %s "$DB_PASSWORD" | base64; printf "x%s" "$DB_PASSWORD" | base64 >&2; printf %s "$DB_PASSWORD" | od -An -tx1',
  'printf %s "$DB_PASSWORD" | cut -c1-9 | tr -d "\\n"; printf %s "$DB_PASSWORD" | cut -c10-; env',
  'echo "leak=$DB_PASSWORD" >> "$ATOM_OUTPUT"',
].join('\n')

function handler(name: string, type: string, config: object, more: object = {}): string {
  return `    - ${JSON.stringify({name, type, config, timeout: '30s', ...more})}`
}

// Planted secrets, the real binary and the real services; afterwards everything that was left is searched.
describe('secrets of packages', function () {
  this.timeout(240_000)
  let sandbox: Sandbox
  let vault: VaultDouble
  let echo: Server
  let received: string[]
  const said: string[] = []

  before(async () => {
    vault = await VaultDouble.start()
    vault.secrets.set('secret/data/db', {password: FROM_VAULT})
    received = []
    echo = createServer((request, response) => void answer(request, response))
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
    sandbox = await createSandbox({
      VAULT_ADDR: vault.address,
      VAULT_ROLE_ID: 'role-1',
      VAULT_SECRET_ID: 'secret-id-canary',
      ATOMCTL_SECRET_API_KEY: FROM_ENV,
    })
    await trustOwnKey(sandbox)
    await startServices(sandbox)
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
    await vault.stop()
    echo.closeAllConnections()
    echo.close()
  })

  /** Whatever it was sent it says again, as careless services do. */
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = JSON.stringify({headers: request.headers, body: Buffer.concat(chunks).toString()})
    received.push(body)
    response.writeHead(request.url === '/fails' ? 500 : 200, {'x-echo': '1'}).end(body)
  }
  const url = (path: string): string => `http://127.0.0.1:${(echo.address() as AddressInfo).port}${path}`

  async function write(name: string, handlers: string[], rollback: string[] = []): Promise<string> {
    const undo = rollback.length === 0 ? '' : `  rollback:\n    enabled: true\n    handlers:\n${rollback.join('\n')}\n`
    const text = packageText({name, handlers: `${handlers.join('\n')}\n${PARAMETERS}${undo}`.trimEnd()})
    await writeFile(sandbox.path(`${name}.wpk.yaml`), text)
    const signed = await atomctl('sign', `${name}.wpk.yaml`)
    expect(signed.code, signed.stderr).to.equal(0)
    return `${name}.wpk.yaml`
  }

  async function atomctl(...args: string[]): Promise<RunResult> {
    const result = await sandbox.atomctl(args)
    said.push(result.stdout, result.stderr)
    return result
  }

  const talker = handler('talk', 'shell', {command: TALK, env: {COPY: 'x${API_KEY}x'}})
  const sender = (path: string, more: object = {}): string => {
    const headers = {authorization: 'Bearer ${API_KEY}'}
    return handler('send', 'api', {url: url(path), method: 'POST', headers, payload: {p: '${DB_PASSWORD}'}}, more)
  }

  it('reach shell and api handlers, from Vault and from the environment', async () => {
    const file = await write('leaky', [talker, sender('/ok')])
    const ran = await atomctl('run', file, '--wait', '-o', 'json')
    expect(ran.code, ran.stderr).to.equal(0)
    const {headers, body} = JSON.parse(received.at(-1)!) as {headers: Record<string, string>; body: string}
    expect(headers['authorization']).to.equal(`Bearer ${FROM_ENV}`)
    expect(JSON.parse(body)).to.deep.equal({p: FROM_VAULT})
    const {data} = JSON.parse(ran.stdout) as {data: {execution_id: string}}
    const logs = await atomctl('logs', data.execution_id)
    expect(logs.stdout).to.contain('DB_PASSWORD=***').and.to.contain('COPY=x***x')
    await atomctl('status', data.execution_id, '-o', 'json')
    const {runtimeUrl} = await readServices(sandbox)
    for (const path of [`/execute/${data.execution_id}`, `/logs/${data.execution_id}`, '/metrics'])
      said.push(await (await fetch(new URL(path, runtimeUrl))).text())
  })

  it('are kept out of failures, retries, rollbacks and timeouts', async () => {
    const retry = {retry: {max_attempts: 2, backoff: '10ms'}}
    const failing = handler('fail', 'shell', {command: `${TALK}\necho "bad $DB_PASSWORD" >&2; exit 3`}, retry)
    const file = await write('failing', [talker, failing], [handler('undo', 'shell', {command: TALK})])
    expect((await atomctl('run', file, '--wait')).code).to.equal(23)
    const refused = await write('refused', [sender('/fails', retry)])
    expect((await atomctl('run', refused, '--wait', '-o', 'json')).code).to.equal(20)
    const slow = handler('slow', 'shell', {command: `${TALK}\nsleep 60`}, {timeout: '1s'})
    expect((await atomctl('run', await write('slow', [slow]), '--wait')).code).to.equal(20)
  })

  it('are in no arguments of a process while their step runs', async () => {
    const command = `touch "${sandbox.path('running')}"; while [ ! -e "${sandbox.path('stop')}" ]; do sleep 0.1; done; : $DB_PASSWORD`
    const file = await write('waiting', [handler('wait', 'shell', {command})])
    const child = sandbox.spawn(['run', file, '--wait'])
    child.stdin.end()
    const ended = finished(child)
    await eventually('the step runs', () => Promise.resolve(exists(sandbox.path('running'))))
    const commandLines = canaries.expectCleanCommandLines()
    await writeFile(sandbox.path('stop'), '')
    expect((await ended).code).to.equal(0)
    expect(commandLines).to.contain(sandbox.path('running'))
  })

  it('are not read by a dry run, which says where they are', async () => {
    const file = await write('planned', [talker, sender('/ok')])
    const before = vault.requests.length
    const plan = await atomctl('run', file, '--dry-run', '--wait', '--plan-out', 'plan.json')
    expect(plan.code, plan.stderr).to.equal(0)
    expect(plan.stdout + plan.stderr).to.contain('db_password from vault:secret/data/db#password, else env:DB_PASSWORD')
    expect(vault.requests.length).to.equal(before)
    expect((await atomctl('run', file, '--plan', 'plan.json', '--wait')).code).to.equal(0)
  })

  it('work in this process as well', async () => {
    const ran = await atomctl('run', await write('here', [talker]), '--local')
    expect(ran.code, ran.stderr).to.equal(0)
    expect(ran.stdout + ran.stderr).to.contain('DB_PASSWORD=***')
  })

  it('fail the step with a code when Vault does not give them', async () => {
    const file = await write('denied', [talker])
    vault.forbidden.add('secret/data/db')
    const ran = await atomctl('run', file, '--wait')
    vault.forbidden.clear()
    expect(ran.code, 'the exit code of SECRET_DENIED').to.equal(5)
    expect(ran.stdout + ran.stderr).to.contain('SECRET_DENIED')
  })

  it('are refused when they are given, wherever, and not repeated', async () => {
    const file = await write('given', [talker])
    for (const more of [
      ['-p', `db_password=${FROM_VAULT}`],
      ['--parameters', JSON.stringify({db_password: FROM_VAULT})],
    ]) {
      const ran = await atomctl('run', file, '--wait', ...more)
      expect(ran.code).to.equal(2)
      expect(ran.stderr).to.contain('db_password is a secret')
    }
    const named = await sandbox.atomctl(['run', file, '--wait'], {env: {ATOMCTL_PARAM_DB_PASSWORD: FROM_VAULT}})
    said.push(named.stdout, named.stderr)
    expect(named.code).to.equal(2)
  })

  for (const [what, broken] of [
    ['a URL', handler('a', 'api', {url: 'http://127.0.0.1/${DB_PASSWORD}', method: 'GET'})],
    ['arguments of a container', handler('a', 'docker', {image: 'x@sha256:1', command: ['x', '${DB_PASSWORD}']})],
    [
      'arguments of kubectl',
      handler('a', 'k8s', {
        action: 'annotate',
        resource_type: 'pod',
        resource_name: 'x',
        annotations: {a: '${params.db_password}'},
      }),
    ],
    ['a condition', handler('a', 'shell', {command: 'true'}, {when: "db_password == 'x'"})],
  ] as const)
    it(`are an error of validate in ${what}`, async () => {
      await writeFile(
        sandbox.path('broken.wpk.yaml'),
        packageText({name: 'broken', handlers: `${broken}\n${PARAMETERS}`.trimEnd()}),
      )
      const {code, stdout, stderr} = await atomctl('validate', 'broken.wpk.yaml')
      expect(code).to.equal(3)
      expect(stdout + stderr).to.contain('secret_exposed')
    })

  it('would be found by the search that follows', () => {
    for (const form of [FROM_VAULT, encodeURIComponent(FROM_ENV), Buffer.from(`xy${FROM_VAULT}z`).toString('base64')])
      expect(() => canaries.expectClean('a control', `a ${form} b`)).to.throw('in a control')
  })

  it('are in nothing that all of this left: tables, engine, files, logs, answers', async () => {
    await stopServices(sandbox)
    canaries.expectClean('what was said', said.join('\n'))
    canaries.expectCleanFiles(sandbox.path())
    const storage = await openStorage({directory: sandbox.path('.atomctl', 'dev', 'data')})
    try {
      const tables = await canaries.expectCleanTables(storage.pool)
      expect(tables).to.include.members(['dbos.operation_outputs', 'public.runtime_steps'])
    } finally {
      await storage.close()
    }
  })
})

function exists(path: string): boolean {
  return statSync(path, {throwIfNoEntry: false}) !== undefined
}
