import {chmodSync, existsSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {JsonObject} from '@atomctl/protocol/values'
import {expect} from 'chai'
import {requireKubectl} from '../support/kubernetes/kubectl.ts'
import {isAlive} from '../support/process.ts'
import {eventually, STARTUP_MS} from '../support/waiting.ts'
import {Bench} from './bench.ts'
import {NO_SECRETS} from '../../src/secrets/step.ts'

const WEB = {resource_type: 'deployment', resource_name: 'web', namespace: 'staging'}
const SECRET = 'correct horse battery'

describe('a k8s handler among hostile values and broken clusters', function () {
  this.timeout(STARTUP_MS)
  let bench: Bench
  let kubectl: string
  before(function () {
    kubectl = requireKubectl(this)
  })
  beforeEach(async () => {
    bench = await Bench.start(kubectl)
    bench.cluster.addDeployment('staging', 'web')
  })
  afterEach(() => bench?.stop())

  const FIELDS = ['resource_type', 'resource_name', 'namespace', 'context', 'selector'] as const
  const HOSTILE = [
    '--kubeconfig=/etc/x',
    '-A',
    'a\nb',
    '../../secrets/x',
    'x;touch y',
    '$(id)',
    '',
    ' web',
    'web/../api',
    7,
    {},
  ]
  for (const field of FIELDS)
    it(`refuses a ${field} that is none, from a parameter and in the config alike`, async () => {
      const reads = bench.cluster.requests.length
      const {[field as 'namespace']: _, ...rest} = {...WEB, context: 'double'}
      // A selector and a context are free text: kubectl gets them as one word behind an equals sign.
      const isFree = (value: unknown): boolean =>
        ['selector', 'context'].includes(field) && typeof value === 'string' && /^[^-\s\n]+[^\n]*$/.test(value)
      for (const value of HOSTILE.filter((one) => !isFree(one) || one === 'a\nb')) {
        const config: JsonObject =
          field === 'selector' ? {resource_type: 'deployment', namespace: 'staging'} : {...rest}
        const given = await bench.run({action: 'restart', ...config}, {parameters: {[field]: value} as JsonObject})
        expect([value, given.status, given.error]).to.satisfy(
          ([, status, error]: string[]) => status === 'error' && error?.startsWith(`${field} cannot be `),
        )
      }
      expect(bench.cluster.requests).to.have.length(reads)
    })

  it('refuses a value that would widen a selector', async () => {
    const config = {action: 'restart', resource_type: 'deployment', namespace: 'staging', selector: 'app in (${APP})'}
    const result = await bench.run(config, {parameters: {app: 'web, api'}})
    expect(result.error).to.equal('${APP} is no label value: "web, api"')
    expect(bench.cluster.changes).to.deep.equal([])
  })

  it('never falls back to any object when nothing says which', async () => {
    for (const action of ['restart', 'scale', 'wait', 'rollback', 'get', 'annotate', 'delete', 'exec', 'logs']) {
      const config = {action, resource_type: 'deployment', replicas: 1, annotation: 'a', value: 'b', command: ['true']}
      const result = await bench.run(config)
      expect([action, result.error]).to.deep.equal([action, 'Nothing says which deployment to act on'])
    }
    expect((await bench.run({action: 'restart', resource_name: 'web'})).error).to.contain('Nothing says which')
  })

  it('passes hostile values of texts on as texts', async () => {
    const hostile = '--kubeconfig=/etc/x\n;touch x \'"$(id)`'
    const parameters = {hostile}
    const patch = {metadata: {annotations: {note: '${HOSTILE}'}}}
    expect((await bench.run({action: 'patch', patch, ...WEB}, {parameters})).status).to.equal('success')
    expect(bench.cluster.get('Deployment', 'staging', 'web').metadata.annotations.note).to.equal(hostile)
    const lines = await bench.run({action: 'logs', lines: '${HOSTILE}', ...WEB}, {parameters})
    expect(lines.error).to.contain('lines must be a whole number')
    const key = await bench.run({action: 'annotate', annotations: {'--all': 'x'}, ...WEB})
    expect(key.error).to.equal('"--all" cannot be the key of annotations')
    const source = await bench.run({action: 'copy', source: 'web-0:--checkpoint-action=exec=sh', destination: 'x'})
    expect(source.error).to.contain('is no path in a pod')
  })

  it('fails with the words of the API when it forbids', async () => {
    bench.cluster.forbids = ({method}) => method === 'PATCH'
    const result = await bench.run({action: 'restart', ...WEB})
    expect(result).to.include({status: 'error', exitCode: 1})
    expect(result.error).to.equal(
      'Error from server (Forbidden): deployments.apps "web" is forbidden: User "tester" cannot patch resource "deployments" in API group "apps" in the namespace "staging"',
    )
  })

  it('keeps the values of Secrets out of logs, outputs, errors and plans', async () => {
    bench.cluster.add('Secret', 'staging', {
      metadata: {name: 'db'},
      data: {password: Buffer.from('old one 1').toString('base64')},
    })
    const config = {action: 'patch', resource_type: 'secret', resource_name: 'db', namespace: 'staging'}
    const patched = {...config, patch: {stringData: {password: '${NEW}'}}}
    const options = {parameters: {new: SECRET}}
    const seen: unknown[] = [await bench.plan(patched, options)]
    seen.push(await bench.run(patched, {...options, spec: {outputs: {all: ''}}}), [...bench.lines])
    bench.cluster.objects.put(bench.cluster.requests[0]!.resource, 'staging', {
      ...bench.cluster.get('Secret', 'staging', 'db'),
      data: {password: Buffer.from(SECRET).toString('base64')},
    })
    seen.push(await bench.run({...config, action: 'get'}, {spec: {outputs: {all: ''}}}), [...bench.lines])
    const applied = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {name: 'db', namespace: 'staging'},
      stringData: {password: SECRET},
    }
    seen.push(await bench.plan({action: 'apply', manifest: applied}))
    seen.push(await bench.run({action: 'apply', manifest: applied}, {spec: {outputs: {all: ''}}}), [...bench.lines])
    const text = JSON.stringify(seen)
    expect(text).to.not.contain(SECRET).and.to.not.contain(Buffer.from(SECRET).toString('base64'))
    expect(text).to.not.contain(Buffer.from('old one 1').toString('base64'))
    expect(text).to.contain('***').and.to.contain('password')
    const field = await bench.run({...config, action: 'get', field: '{.data.password}'})
    expect(field.error).to.equal('fields of Secrets are not read into logs and outputs')
  })

  it('ends on its timeout when the API never answers', async () => {
    bench.cluster.holds = () => true
    const started = performance.now()
    const result = await bench.run({action: 'restart', ...WEB}, {timeoutMs: 500})
    expect(result).to.include({status: 'error', error: 'timed out after 500 ms'})
    expect(performance.now() - started).to.be.within(500, 4_000)
  })

  it('kills kubectl and what kubectl has started when it is stopped', async () => {
    const pidFile = join(bench.directory, 'pid')
    const wrapper = join(bench.directory, 'kubectl')
    writeFileSync(
      wrapper,
      `#!/bin/sh\necho $$ > ${pidFile}\nsetsid sleep 600 &\necho $! >> ${pidFile}\nexec ${kubectl} "$@"\n`,
    )
    chmodSync(wrapper, 0o700)
    bench.cluster.holds = () => true
    const stop = new AbortController()
    const running = bench.as(wrapper, bench.cluster.kubeconfig).run({action: 'restart', ...WEB}, {signal: stop.signal})
    const pids = await eventually('kubectl asks', () => {
      const lines = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').trim().split('\n') : []
      return bench.cluster.requests.length > 0 && lines.length === 2 && lines
    })
    expect(pids.map(isAlive)).to.deep.equal([true, true])
    stop.abort()
    expect(await running).to.include({status: 'error', error: 'stopped'})
    expect(pids.map(isAlive)).to.deep.equal([false, false])
  })

  it('gives kubectl nothing of the runtime’s environment but what is listed', async () => {
    const fake = join(bench.directory, 'kubectl')
    writeFileSync(fake, '#!/bin/sh\nenv >&2\nexit 1\n')
    chmodSync(fake, 0o700)
    const {K8sHandler} = await import('../../src/handlers/k8s.ts')
    const environment = {
      PATH: process.env['PATH'],
      KUBECONFIG: '/k',
      AWS_PROFILE: 'ops',
      KUBE_EDITOR: 'vi',
      DATABASE_URL: 'postgres://secret',
    }
    const handler = new K8sHandler({kubectl: fake, environment, killGraceMs: 100})
    const lines: string[] = []
    await handler.run(
      {
        name: 's',
        type: 'k8s',
        config: {action: 'wait', ...WEB},
        timeoutMs: 1,
        maxAttempts: 1,
        backoffMs: 1,
        when: undefined,
        outputs: undefined,
        undoes: undefined,
      },
      {
        scope: {executionId: 'e', parameters: {kubeconfig: '/evil'}, outputs: {}},
        signal: new AbortController().signal,
        timeoutMs: 5_000,
        idempotencyKey: 'e/handler/0',
        recovered: false,
        directory: bench.directory,
        secrets: NO_SECRETS,
        log: (_stream, text) => void lines.push(text),
      },
    )
    expect(lines).to.include.members(['KUBECONFIG=/k', 'AWS_PROFILE=ops', 'ATOM_IDEMPOTENCY_KEY=e/handler/0'])
    expect(lines.join('\n')).to.not.match(/KUBE_EDITOR|DATABASE_URL|evil/)
  })
})
