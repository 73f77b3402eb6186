import {existsSync, mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {delimiter, dirname, join} from 'node:path'
import {openStorage} from '@atomctl/storage'
import {expect} from 'chai'
import {IMAGE, Podman} from '../../services/runtime/test/support/docker/podman.ts'
import {KubernetesDouble} from '../../services/runtime/test/support/kubernetes/double.ts'
import {kubectlForTests} from '../../services/runtime/test/support/kubernetes/kubectl.ts'
import {ROOT_TOKEN, VaultDouble} from '../../services/runtime/test/support/vault.ts'
import {eventually} from '../../services/runtime/test/support/waiting.ts'
import {startPostgresql, type TestDatabase} from '../../services/storage/test/support/postgresql.ts'
import {createSandbox, finished, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {Canaries} from '../support/canaries.ts'
import {packageText, trustOwnKey} from '../support/packages.ts'
import {serveFor, type SharedServices} from '../support/people.ts'

const FROM_VAULT = 'vault-canary/+"q7-x9$z'
const AFTER_ROTATION = 'rotated_canary\\&=?5 w<b>'
const FROM_ENV = 'env_canary&8d71=kk w'
const canaries = new Canaries([FROM_VAULT, AFTER_ROTATION, FROM_ENV, ROOT_TOKEN])

const PARAMETERS = `  parameters:
    - {name: db_password, type: secret, required: true, sources: [vault], vault: {path: secret/data/db, key: password}}
    - {name: api_key, type: secret, sources: [env]}
`
/** Says what it was given in every way that the redactor claims to know, and a shell without programs can say. */
const TALK = 'echo "$DB_PASSWORD"; echo "x$API_KEY" >&2; env; echo "leak=$DB_PASSWORD" >> "$ATOM_OUTPUT"'
const TALK_MORE = [
  TALK,
  'printf %s "$DB_PASSWORD" | base64; printf "x%s" "$API_KEY" | base64 >&2; printf %s "$DB_PASSWORD" | od -An -tx1',
  // as JSON and as a URL have it
  `printf %s "$DB_PASSWORD" | sed 's/[\\"]/\\\\&/g'; printf %s "$API_KEY" | sed 's/&/%26/;s/=/%3D/;s/ /%20/'; echo`,
].join('\n')

const step = (name: string, type: string, config: object, more: object = {}): string =>
  `    - ${JSON.stringify({name, type, config, timeout: '60s', ...more})}`
const config = (name: string, password: string): object => {
  const metadata = {name, namespace: 'staging'}
  return {action: 'apply', manifest: {apiVersion: 'v1', kind: 'ConfigMap', metadata, data: {password}}}
}

// Planted secrets where crashes, live readers, containers and clusters are; whatever was left is searched afterwards.
for (const where of ['the embedded database', 'PostgreSQL'] as const)
  describe(`secrets of packages on ${where}`, function () {
    this.timeout(240_000)
    let sandbox: Sandbox
    let vault: VaultDouble
    let cluster: KubernetesDouble
    let database: TestDatabase | undefined
    let podman: Podman | {missing: string}
    let services: SharedServices
    /** What steps are to leave outside of everything that is searched. */
    let outside: string
    const kubectl = kubectlForTests()
    const said: string[] = []

    before(async function () {
      if (where === 'PostgreSQL' && !(database = await startPostgresql())) {
        console.log('      no PostgreSQL here: set ATOMCTL_TEST_DATABASE_URL, or apt-get install postgresql')
        return this.skip()
      }
      outside = mkdtempSync(join(tmpdir(), 'outside-'))
      podman = await Podman.start()
      vault = await VaultDouble.start()
      vault.secrets.set('secret/data/db', {password: FROM_VAULT})
      cluster = await KubernetesDouble.start()
      sandbox = await createSandbox()
      await trustOwnKey(sandbox)
      services = await serveFor(sandbox, {ann: 'operator'}, environment(), ['--verbose'])
    })
    after(async () => {
      await services?.[Symbol.asyncDispose]()
      await sandbox?.[Symbol.asyncDispose]()
      await vault?.stop()
      await cluster?.stop()
      if (podman instanceof Podman) await podman.stop()
      await database?.stop()
      if (outside) rmSync(outside, {recursive: true})
    })

    function environment(): Record<string, string> {
      const directories = 'file' in kubectl ? [dirname(kubectl.file)] : []
      return {
        PATH: [...directories, process.env['PATH']].join(delimiter),
        KUBECONFIG: cluster.kubeconfig,
        VAULT_ADDR: vault.address,
        VAULT_TOKEN: ROOT_TOKEN,
        ATOMCTL_SECRET_API_KEY: FROM_ENV,
        ...(podman instanceof Podman ? {DOCKER_HOST: `unix://${podman.socket}`} : {}),
        ...(database ? {DATABASE_URL: database.url} : {}),
      }
    }

    async function write(name: string, handlers: string[], rollback: string[] = []): Promise<string> {
      const undo =
        rollback.length === 0 ? '' : `  rollback:\n    enabled: true\n    handlers:\n${rollback.join('\n')}\n`
      const text = packageText({name, handlers: `${handlers.join('\n')}\n${PARAMETERS}${undo}`.trimEnd()})
      await writeFile(sandbox.path(`${name}.wpk.yaml`), text)
      const signed = await sandbox.atomctl(['sign', `${name}.wpk.yaml`])
      expect(signed.code, signed.stdout + signed.stderr).to.equal(0)
      return `${name}.wpk.yaml`
    }

    async function atomctl(...args: string[]): Promise<RunResult> {
      const result = await services.as('ann', ...args)
      said.push(result.stdout, result.stderr)
      return result
    }
    const idIn = ({stdout}: RunResult): string => /Execution ID: (\S+)/.exec(stdout)?.[1] ?? ''
    const there = (file: string): boolean => existsSync(join(outside, file))
    const waitFor = (file: string): string =>
      `touch "${outside}/${file}-begun"; until [ -e "${outside}/${file}" ]; do sleep 0.05; done`

    /** Everything that people can ask the runtime about an execution. */
    async function askAll(id: string): Promise<string> {
      const words = [await atomctl('status', id, '-o', 'json'), await atomctl('logs', id, '-o', 'json')]
      const paths = [`/execute/${id}`, `/logs/${id}`, `/execute/${id}/events`, '/executions', '/metrics']
      const answers = await Promise.all(paths.map(async (path) => (await services.ask('ann', path)).text()))
      said.push(...answers)
      return [...words.map(({stdout}) => stdout), ...answers].join('\n')
    }

    async function searchTables(): Promise<void> {
      const storage = await openStorage(database ? {databaseUrl: database.url} : {directory: sandbox.path('data')})
      try {
        const tables = await canaries.expectCleanTables(storage.pool)
        expect(tables).to.include.members(['dbos.operation_outputs', 'public.runtime_steps'])
      } finally {
        await storage.close()
      }
    }

    it('are in no event of the live stream, and in no line that logs -f prints while the step runs', async () => {
      const file = await write('live', [
        step('talk', 'shell', {command: `${TALK_MORE}\n${waitFor('live')}\n${TALK_MORE}`}),
      ])
      const id = idIn(await atomctl('run', file))
      const followed = finished(sandbox.spawn(['logs', '-f', id], {env: services.env('ann')}))
      const stream = await services.ask('ann', `/execute/${id}/events`)
      let events = ''
      const reading = (async () => {
        for await (const chunk of stream.body ?? []) events += Buffer.from(chunk).toString()
      })()
      await eventually('the first half is there while the step runs', () => events.includes('DB_PASSWORD=***'))
      expect(events).to.contain('API_KEY=***').and.not.to.contain('event: end')
      canaries.expectClean('the stream so far', events)
      await writeFile(join(outside, 'live'), '')
      await reading
      const {code, stdout, stderr} = await followed
      expect(code, stderr).to.equal(0)
      expect(stdout.match(/DB_PASSWORD=\*\*\*/g)).to.have.length(2)
      expect(events.match(/DB_PASSWORD=\*\*\*/g)).to.have.length(2)
      canaries.expectClean('the stream', events)
      canaries.expectClean('logs -f', stdout + stderr)
      said.push(await askAll(id))
    })

    it('are out of the error of a failing step, its retries and its rollback', async () => {
      // a line of outputs that is none is repeated in the error
      const failing = `${TALK_MORE}\necho "$DB_PASSWORD" >> "$ATOM_OUTPUT"; echo "$API_KEY" | base64 >> "$ATOM_OUTPUT"`
      const handlers = [
        step('make', 'shell', {command: TALK_MORE}),
        step('fail', 'shell', {command: failing}, {retry: {max_attempts: 2, backoff: '10ms'}}),
      ]
      const file = await write('failing', handlers, [step('undo', 'shell', {command: failing}, {undoes: 'make'})])
      const ran = await atomctl('run', file, '--wait')
      expect(ran.code, 'the rollback fails the same way').to.equal(24)
      expect(ran.stderr).to.contain('line "***" is not name=value')
      expect(await askAll(idIn(ran))).to.contain('attempt 1 of 2 failed: $ATOM_OUTPUT: line')
    })

    it('die with the process that read them; the one that carries on reads them anew', async () => {
      const command = `echo "$API_KEY"; : "$DB_PASSWORD"; ${waitFor('killed')}; printf %s "$DB_PASSWORD" > "${outside}/value"`
      const file = await write('killed', [
        step('first', 'shell', {command: TALK_MORE}),
        step('second', 'shell', {command}),
        step('third', 'shell', {command: 'cat "$LEFT"', env: {LEFT: join(outside, 'env'), KEY: '${API_KEY}'}}),
      ])
      const id = idIn(await atomctl('run', file))
      await eventually('the second step runs', () => there('killed-begun'))
      await services.stop('SIGKILL')
      canaries.expectCleanFiles(sandbox.path())
      await searchTables()
      vault.secrets.set('secret/data/db', {password: AFTER_ROTATION})
      const reads = vault.requests.length
      rmSync(join(outside, 'killed-begun'))
      // what a step of the dead process was given is known again before a later one can find it somewhere
      await writeFile(join(outside, 'env'), `key=${FROM_ENV}\npassword=${AFTER_ROTATION}\n`)
      await services.start()
      await eventually('the second step runs again', () => there('killed-begun'))
      expect(vault.requests.length).to.be.greaterThan(reads)
      await writeFile(join(outside, 'killed'), '')
      expect((await atomctl('status', id, '--watch')).code).to.equal(0)
      expect(readFileSync(join(outside, 'value'), 'utf8')).to.equal(AFTER_ROTATION)
      expect(await askAll(id))
        .to.contain('key=***')
        .and.to.contain('password=***')
    })

    it('reach a container in its environment alone', async function () {
      if (!(podman instanceof Podman)) {
        console.log(`      ${podman.missing}`)
        return this.skip()
      }
      const mounts = [{source: outside, target: '/outside', read_only: false}]
      const inside = `${TALK}\n${waitFor('boxed').replaceAll(outside, '/outside')}\necho "$DB_PASSWORD" >> "$ATOM_OUTPUT"`
      const box = {image: IMAGE, command: inside, env: {COPY: 'x${API_KEY}x'}, mounts}
      const file = await write('boxed', [step('box', 'docker', box)])
      const id = idIn(await atomctl('run', file))
      await eventually('the container runs', () => there('boxed-begun'))
      expect(canaries.expectCleanCommandLines()).to.contain('conmon')
      await writeFile(join(outside, 'boxed'), '')
      expect((await atomctl('status', id, '--watch')).code).to.equal(20)
      expect(await askAll(id))
        .to.contain('COPY=x***x')
        .and.to.contain('DB_PASSWORD=***')
        .and.to.match(/line \\+"\*\*\*\\+" is not name=value/)
    })

    it('reach a cluster in what is applied, and come back in none of its errors', async function () {
      if (!('file' in kubectl)) {
        console.log(`      ${kubectl.missing}`)
        return this.skip()
      }
      const target = {resource_type: 'configmap', resource_name: 'good', namespace: 'staging'}
      const file = await write('cluster', [
        step('good', 'k8s', config('good', '${DB_PASSWORD}')),
        step('patch', 'k8s', {action: 'patch', ...target, patch: {data: {key: '${API_KEY}'}}}),
        step('look', 'k8s', {action: 'get', ...target}, {outputs: {found: ''}}),
        step('bad', 'k8s', config('bad', 'x${API_KEY}'), {retry: {max_attempts: 2, backoff: '10ms'}}),
      ])
      cluster.refuses = ({method, body}) =>
        method !== 'GET' && JSON.stringify(body).includes('"bad"')
          ? `data: Invalid value: ${JSON.stringify(body)}`
          : undefined
      const ran = await atomctl('run', file, '--wait')
      expect(ran.code, ran.stdout + ran.stderr).to.equal(20)
      expect(cluster.get('ConfigMap', 'staging', 'good').data).to.deep.equal({
        ...vault.secrets.get('secret/data/db'),
        key: FROM_ENV,
      })
      expect(ran.stderr).to.contain('Invalid value').and.to.contain('x***')
      await askAll(idIn(ran))
      cluster.refuses = () => undefined
    })

    it('are in no arguments of kubectl while it talks to the cluster', async function () {
      if (!('file' in kubectl)) return this.skip()
      const file = await write('held', [step('hold', 'k8s', config('held', '${DB_PASSWORD}'))])
      let isHeld = false
      cluster.holds = ({method}) => method !== 'GET' && (isHeld = true)
      const id = idIn(await atomctl('run', file))
      await eventually('kubectl waits for the cluster', () => isHeld)
      expect(canaries.expectCleanCommandLines()).to.match(/kubectl .*apply/)
      expect((await atomctl('cancel', id)).code).to.equal(0)
      expect((await atomctl('status', id, '--watch')).code).to.equal(21)
      cluster.holds = () => false
    })

    it('are in nothing that all of this left: tables, files, logs, answers, the words of the services', async () => {
      await services.stop()
      canaries.expectClean('what was said', said.join('\n'))
      expect(services.said()).not.to.equal('')
      canaries.expectClean('what the services wrote', services.said())
      canaries.expectCleanFiles(sandbox.path())
      await searchTables()
      const {server} = database ?? {}
      if (!server) return
      await server.kill('SIGINT')
      canaries.expectCleanFiles(server.directory)
    })
  })
