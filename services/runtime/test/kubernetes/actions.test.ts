import {existsSync, mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect} from 'chai'
import {resourceOf} from '../support/kubernetes/controllers.ts'
import {requireKubectl} from '../support/kubernetes/kubectl.ts'
import {STARTUP_MS} from '../support/waiting.ts'
import {Bench} from './bench.ts'

const WEB = {resource_type: 'deployment', resource_name: 'web', namespace: 'staging'}
const POD = {resource_type: 'pod', selector: 'app=web', namespace: 'staging'}

describe('k8s actions against an API', function () {
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

  const podName = (): string => String(bench.cluster.list('Pod', 'staging')[0]?.metadata['name'])
  const web = () => bench.cluster.get('Deployment', 'staging', 'web')

  it('logs: the last lines of every pod that a selector chooses', async () => {
    bench.cluster.logs.set(podName(), 'one\ntwo\nthree\n')
    const result = await bench.run({action: 'logs', lines: 2, ...POD})
    expect(result).to.include({status: 'success', exitCode: 0})
    expect(bench.lines).to.include.members(['stdout: two', 'stdout: three']).and.to.not.include('stdout: one')
    expect(bench.text.match(/system: logs of pod/g)).to.have.length(2)
  })

  it('logs: those before the last restart, where a pod has restarted', async () => {
    const pod = bench.cluster.get('Pod', 'staging', podName())
    pod.status.containerStatuses[0].restartCount = 4
    bench.cluster.logs.set(podName(), 'now').set(`${podName()} previous`, 'crash: out of memory')
    const result = await bench.run({action: 'logs', previous: true, ...POD})
    expect(result.status).to.equal('success')
    expect(bench.lines).to.include('stdout: crash: out of memory').and.to.not.include('stdout: now')
    expect(bench.text).to.contain('which has not restarted')
  })

  it('events: about the target alone, oldest first', async () => {
    const event = (name: string, about: string, message: string, time: string): void =>
      void bench.cluster.add('Event', 'staging', {
        metadata: {name},
        involvedObject: {kind: 'Pod', name: about},
        type: 'Warning',
        reason: 'BackOff',
        message,
        lastTimestamp: time,
      })
    event('b', podName(), 'second', '2026-01-01T00:00:02Z')
    event('a', podName(), 'first', '2026-01-01T00:00:01Z')
    event('c', 'another', 'not ours', '2026-01-01T00:00:03Z')
    const {output} = await bench.run({action: 'events', ...POD})
    expect(output.split('\n').map((line) => line.split('  ').at(-1))).to.deep.equal(['first', 'second'])
  })

  it('restart: once for a step, however often the step runs', async () => {
    const before = podName()
    expect(await bench.run({action: 'restart', grace_period: 30, ...WEB})).to.include({status: 'success'})
    expect(bench.text)
      .to.contain('restarts deployment web, at revision 1 until now')
      .and.to.contain('grace_period is not used')
    const after = podName()
    expect(after).to.not.equal(before)
    expect((await bench.run({action: 'restart', ...WEB})).status).to.equal('success')
    expect(podName()).to.equal(after)
    expect((await bench.run({action: 'restart', ...WEB}, {key: 'e1/handler/7'})).status).to.equal('success')
    expect(podName()).to.not.equal(after)
  })

  it('restart: not of what is paused, and not of kinds without a rollout', async () => {
    web().spec.paused = true
    expect((await bench.run({action: 'restart', ...WEB})).error).to.equal('deployment web is paused')
    const pod = await bench.run({action: 'restart', ...POD})
    expect(pod.error).to.equal('restart works on deployment, statefulset, daemonset, not on pod')
    expect(bench.cluster.changes).to.deep.equal([])
  })

  it('rollback: of a StatefulSet through its ControllerRevisions', async () => {
    const template = (version: number): object => ({
      metadata: {labels: {app: 'db'}},
      spec: {containers: [{name: 'db', image: `db:${version}`}]},
    })
    const {uid} = bench.cluster.add('StatefulSet', 'staging', {
      metadata: {name: 'db'},
      spec: {replicas: 1, template: template(2)},
    }).metadata
    for (const revision of [1, 2])
      bench.cluster.add('ControllerRevision', 'staging', {
        metadata: {name: `db-${revision}`, ownerReferences: [{kind: 'StatefulSet', name: 'db', uid}]},
        revision,
        data: {spec: {template: {...template(revision), $patch: 'replace'}}},
      })
    const target = {resource_type: 'sts', resource_name: 'db', namespace: 'staging'}
    expect((await bench.run({action: 'rollback', ...target})).error).to.equal(null)
    expect(bench.cluster.get('StatefulSet', 'staging', 'db').spec.template.spec.containers[0].image).to.equal('db:1')
  })

  it('restart: everything a selector chooses, and an error when that is nothing', async () => {
    bench.cluster.addDeployment('staging', 'api')
    const config = {action: 'restart', resource_type: 'deploy', namespace: 'staging'}
    expect((await bench.run({...config, selector: 'app in (web, api)'})).status).to.equal('success')
    expect(bench.cluster.changes).to.have.members(['PATCH deployments/api', 'PATCH deployments/web'])
    const none = await bench.run({...config, selector: 'app=nothing'})
    expect(none).to.include({status: 'error', error: 'no deploy matches app=nothing'})
  })

  for (const [replicas, factor, most, expected] of [
    [2, 1.5, 10, 3],
    [3, 1.5, 10, 5],
    [10, 1.1, 20, 11],
    [4, 3, 6, 6],
    [8, 1.5, 6, 8],
    [5, 0.5, undefined, 3],
  ] as const)
    it(`scale: ${replicas} replicas by ${factor} with at most ${most} are ${expected}`, async () => {
      bench.cluster.addDeployment('staging', 'web', {replicas})
      const bound = most === undefined ? {} : {max_replicas: most}
      const result = await bench.run({action: 'scale', scale_factor: factor, ...bound, ...WEB})
      expect(result.status).to.equal('success')
      expect(web().spec.replicas).to.equal(expected)
      await bench.run({action: 'scale', scale_factor: factor, ...bound, ...WEB})
      expect(web().spec.replicas, 'the same step again').to.equal(expected)
    })

  it('scale: back to the number that this execution found, over several steps', async () => {
    await bench.run({action: 'scale', replicas: '${COUNT}', ...WEB}, {parameters: {count: 5}, key: 'e1/handler/0'})
    await bench.run({action: 'scale', scale_factor: 2, max_replicas: 9, ...WEB}, {key: 'e1/handler/1'})
    expect(web().spec.replicas).to.equal(9)
    await bench.run({action: 'scale', replicas: 'original', ...WEB}, {key: 'e1/rollback/0'})
    expect(web().spec.replicas).to.equal(2)
    const foreign = await bench.run({action: 'scale', replicas: 'original', ...WEB}, {executionId: 'e2'})
    expect(foreign.error).to.contain('this execution has not scaled deployment web')
  })

  it('wait: for a rollout to serve, and no longer than its timeout', async () => {
    expect((await bench.run({action: 'wait', condition: 'available', ...WEB})).status).to.equal('success')
    bench.cluster.addDeployment('staging', 'web', {image: 'broken:1'})
    const result = await bench.run({action: 'wait', condition: 'ready', timeout: '1s', ...WEB})
    expect(result.status).to.equal('error')
    expect(result.error).to.contain('timed out waiting for the condition')
  })

  it('wait: for conditions of pods, and of any other kind by their name', async () => {
    expect((await bench.run({action: 'wait', condition: 'ready', ...POD})).status).to.equal('success')
    expect((await bench.run({action: 'wait', condition: 'condition=Available', ...WEB})).status).to.equal('success')
    expect((await bench.run({action: 'wait', condition: 'jsonpath={.spec.replicas}=2', ...WEB})).status).to.equal(
      'success',
    )
  })

  it('rollback: to the previous revision, and not back again when the step runs twice', async () => {
    const first = web().spec.template
    await bench.run({action: 'restart', ...WEB})
    const undo = {action: 'rollback', revision: 'previous', ...WEB}
    expect(await bench.run(undo, {key: 'e1/rollback/0'})).to.include({status: 'success'})
    expect(bench.text).to.contain('rolls deployment web back from revision 2 to 1')
    expect(web().spec.template.metadata).to.deep.equal(first.metadata)
    expect(await bench.run(undo, {key: 'e1/rollback/0'})).to.include({status: 'success'})
    expect(bench.text).to.contain('already rolled back')
    expect(web().spec.template.metadata).to.deep.equal(first.metadata)
  })

  it('rollback: an error where there is no such revision', async () => {
    expect((await bench.run({action: 'rollback', ...WEB})).error).to.equal(
      'deployment web has no earlier revision: it has 1',
    )
    expect((await bench.run({action: 'rollback', revision: 7, ...WEB})).error).to.contain('has no revision 7')
  })

  it('get: one field, or outputs out of the object for later handlers', async () => {
    const field = await bench.run({action: 'get', field: 'spec.replicas', ...WEB}, {spec: {outputs: {count: ''}}})
    expect(field).to.deep.include({status: 'success', output: '2', outputs: {count: '2'}})
    const outputs = {image: '/spec/template/spec/containers/0/image', count: '/spec/replicas'}
    const whole = await bench.run({action: 'get', ...WEB}, {spec: {outputs}})
    expect(whole.outputs).to.deep.equal({image: 'registry.test/app:1', count: '2'})
    expect(bench.text).to.contain('kind: Deployment')
    const missing = await bench.run({action: 'get', ...WEB}, {spec: {outputs: {x: '/spec/nothing'}}})
    expect(missing.error).to.equal('the answer has nothing at /spec/nothing for output x')
  })

  it('patch: strategic, merge and json', async () => {
    const config = {action: 'patch', ...WEB}
    const containers = [{name: 'app', env: [{name: 'LEVEL', value: '${LEVEL}'}]}]
    await bench.run({...config, patch: {spec: {template: {spec: {containers}}}}}, {parameters: {level: 'debug'}})
    expect(web().spec.template.spec.containers[0]).to.deep.include({image: 'registry.test/app:1'})
    expect(web().spec.template.spec.containers[0].env).to.deep.equal([{name: 'LEVEL', value: 'debug'}])
    await bench.run({...config, strategy: 'merge', patch: {spec: {replicas: '${N}'}}}, {parameters: {n: 4}})
    expect(web().spec.replicas).to.equal(4)
    await bench.run({...config, patch: [{op: 'replace', path: '/spec/replicas', value: 6}]})
    expect(web().spec.replicas).to.equal(6)
  })

  it('annotate and label: set and overwrite', async () => {
    const config = {action: 'annotate', annotation: 'retry-count', ...WEB}
    await bench.run({...config, value: 1})
    await bench.run({...config, value: '${TEXT}'}, {parameters: {text: '--overwrite=false\nx'}})
    expect(web().metadata.annotations['retry-count']).to.equal('--overwrite=false\nx')
    await bench.run({action: 'label', labels: {tier: 'front', team: 'a'}, ...WEB})
    expect(web().metadata.labels).to.include({tier: 'front', team: 'a', app: 'web'})
  })

  const settings = (value: string): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name: 'settings', namespace: 'staging'},
    data: {value},
  })

  it('create: makes what is not there, knows its own after a crash and refuses what is another’s', async () => {
    const config = {action: 'create', namespace: 'staging', manifest: settings('1')}
    expect((await bench.run(config)).status).to.equal('success')
    expect((await bench.run(config)).status).to.equal('success')
    expect(bench.text).to.contain('an earlier attempt at this step has created it already')
    const other = await bench.run(config, {key: 'e2/handler/0'})
    expect(other).to.include({status: 'error'})
    expect(other.error).to.contain('"settings" already exists')
  })

  it('create: gives a generated name that is the same for every attempt', async () => {
    const manifest = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {generateName: 'made-'}}
    await bench.run({action: 'create', namespace: 'staging', manifest})
    await bench.run({action: 'create', namespace: 'staging', manifest})
    expect(bench.cluster.list('ConfigMap', 'staging')).to.have.length(1)
  })

  it('create: waits its delay first, and not when it is stopped meanwhile', async () => {
    const stop = new AbortController()
    const config = {action: 'create', namespace: 'staging', manifest: settings('1'), delay: '1m'}
    const running = bench.run(config, {signal: stop.signal, timeoutMs: 90_000})
    stop.abort()
    expect(await running).to.include({status: 'error', error: 'stopped'})
    expect(bench.cluster.list('ConfigMap', 'staging')).to.have.length(0)
  })

  it('apply: several objects, and files of the package but none beside them', async () => {
    const config = {action: 'apply', namespace: 'staging'}
    const second = {...settings('2'), metadata: {name: 'second', namespace: 'staging'}}
    expect(await bench.run({...config, manifest: [settings('1'), second]})).to.include({error: null})
    writeFileSync(join(bench.directory, 'settings.yaml'), JSON.stringify(settings('3')))
    expect((await bench.run({...config, file: 'settings.yaml'})).status).to.equal('success')
    expect(bench.cluster.get('ConfigMap', 'staging', 'settings').data).to.deep.equal({value: '3'})
    const outside = await bench.run({...config, file: '../../etc/passwd'})
    expect(outside.error).to.equal('The package has no file "../../etc/passwd"')
  })

  it('delete: and again, when it is gone', async () => {
    expect((await bench.run({action: 'delete', ...WEB})).status).to.equal('success')
    expect(bench.cluster.list('Deployment', 'staging')).to.have.length(0)
    expect((await bench.run({action: 'delete', ...WEB})).status).to.equal('success')
  })

  it('exec: a list is words, a text or a list with a script gets its values as variables', async () => {
    const config = {action: 'exec', resource_name: podName(), namespace: 'staging'}
    const hostile = '$(touch injected); `id`'
    const parameters = {message: hostile}
    await bench.run({...config, command: ['echo', '${MESSAGE}', '--context=other']}, {parameters})
    expect(bench.lines).to.include(`stdout: ${hostile} --context=other`)
    await bench.run({...config, command: 'echo "${MESSAGE}" | wc -c'}, {parameters})
    expect(bench.lines).to.include(`stdout: ${hostile.length + 1}`)
    await bench.run({...config, command: ['sh', '-c', 'echo "<${MESSAGE}>"']}, {parameters})
    expect(bench.lines).to.include(`stdout: <${hostile}>`)
    expect(existsSync(join(bench.cluster.podDirectory(podName()), 'injected'))).to.equal(false)
  })

  it('exec: puts out name=value, and fails with the exit code of the command', async () => {
    const config = {action: 'exec', resource_name: podName(), namespace: 'staging'}
    const good = await bench.run(
      {...config, command: 'echo backup=b-17; echo size=3'},
      {spec: {outputs: {backup: '/backup'}}},
    )
    expect(good).to.deep.include({status: 'success', outputs: {backup: 'b-17'}})
    const bad = await bench.run({...config, command: 'echo no >&2; exit 3'})
    expect(bad).to.include({status: 'error', exitCode: 3, error: 'command terminated with exit code 3'})
    const several = await bench.run({action: 'exec', ...POD, command: ['true']})
    expect(several.error).to.equal('app=web matches 2 objects; a command runs in one')
  })

  it('copy: out of a pod and into one, never beside the execution’s directory', async () => {
    const root = bench.cluster.podDirectory(podName())
    mkdirSync(join(root, 'backups/latest'), {recursive: true})
    writeFileSync(join(root, 'backups/latest/manifest'), 'sums')
    const config = {action: 'copy', namespace: 'staging', source: `${podName()}:/backups/latest`}
    expect((await bench.run({...config, destination: 'restore-test'})).status).to.equal('success')
    expect(readFileSync(join(bench.directory, 'restore-test/manifest'), 'utf8')).to.equal('sums')
    const back = await bench.run({...config, source: 'restore-test/manifest', destination: `${podName()}:/copied`})
    expect(back.status).to.equal('success')
    expect(readFileSync(join(root, 'copied'), 'utf8')).to.equal('sums')
    for (const destination of ['/tmp/elsewhere', '../elsewhere', 'a/../../elsewhere'])
      expect((await bench.run({...config, destination})).error).to.contain("leaves the execution's directory")
  })

  it('metrics: CPU and memory of the pods', async () => {
    bench.cluster.add('PodMetrics', 'staging', {
      metadata: {name: podName(), labels: {app: 'web'}},
      timestamp: '2026-01-01T00:00:00Z',
      window: '30s',
      containers: [{name: 'app', usage: {cpu: '250m', memory: '64Mi'}}],
    })
    expect((await bench.run({action: 'metrics', ...POD})).status).to.equal('success')
    expect(bench.text).to.match(/web-\S+ +250m +64Mi/)
  })

  it('job: runs to the end, tells its log, and fails when it does', async () => {
    const config = {action: 'job', namespace: 'staging', image: 'tool:1', command: ['run']}
    bench.cluster.logs.set('sums-x1', 'total=7\n')
    const good = await bench.run({...config, name: 'sums'}, {spec: {outputs: {total: '/total'}}, key: 'e1/handler/9'})
    expect(good).to.deep.include({status: 'success', outputs: {total: '7'}})
    bench.cluster.objects.remove(resourceOf('Job'), bench.cluster.get('Job', 'staging', 'sums'))
    expect((await bench.run(config)).status).to.equal('success')
    const [made] = bench.cluster.list('Job', 'staging')
    expect(made?.metadata['name']).to.match(/^step-[0-9a-f]{8}$/)
    expect((await bench.run(config)).status, 'the same step again').to.equal('success')
    expect(bench.cluster.list('Job', 'staging')).to.have.length(1)
    const bad = await bench.run({...config, image: 'failing:1'}, {key: 'e1/handler/1'})
    expect(bad).to.include({status: 'error'})
    expect(bad.error).to.match(/^job step-[0-9a-f]{8} failed$/)
    const anew = await bench.run(config, {key: 'e1/handler/1'})
    expect(anew.status, 'the next attempt').to.equal('success')
  })

  it('job: is deleted when it takes too long', async () => {
    const config = {action: 'job', namespace: 'staging', image: 'endless:1', name: 'slow'}
    const result = await bench.run(config, {timeoutMs: 2_000})
    expect(result.error).to.match(/^timed out after \d+ ms$/)
    expect(bench.text).to.contain('job slow is deleted')
    expect(bench.cluster.list('Job', 'staging')).to.have.length(0)
  })
})
