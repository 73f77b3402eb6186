import {expect} from 'chai'
import {requireKubectl} from '../support/kubernetes/kubectl.ts'
import {STARTUP_MS} from '../support/waiting.ts'
import {Bench, k8sSpec} from './bench.ts'

const WEB = {resource_type: 'deployment', resource_name: 'web', namespace: 'staging'}

describe('the plan of a k8s handler', function () {
  this.timeout(STARTUP_MS)
  let bench: Bench
  let kubectl: string
  before(async function () {
    kubectl = requireKubectl(this)
    bench = await Bench.start(kubectl)
    bench.cluster.addDeployment('staging', 'web')
  })
  after(() => bench?.stop())

  const text = async (...args: Parameters<Bench['plan']>): Promise<string> => {
    const {outcome, lines} = await bench.plan(...args)
    return [outcome, ...lines].join('\n')
  }
  const manifest = {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'settings', namespace: 'staging'}}

  for (const [title, config, expected] of [
    [
      'restart',
      {action: 'restart', ...WEB},
      /kubectl patch deployment\/web.*\+ spec\.template\.metadata\.annotations\.atomctl\/restart/s,
    ],
    [
      'scale',
      {action: 'scale', scale_factor: 1.5, max_replicas: 10, ...WEB},
      /from 2 to 3 replicas.*~ spec\.replicas: 2 → 3/s,
    ],
    [
      'patch',
      {action: 'patch', patch: {spec: {replicas: 7}}, ...WEB},
      /changes deployment web in namespace staging.*spec\.replicas: 2 → 7/s,
    ],
    ['annotate', {action: 'annotate', annotation: 'a', value: 'b', ...WEB}, /\+ metadata\.annotations\.a: "b"/],
    ['label', {action: 'label', label: 'a', value: 'b', ...WEB}, /\+ metadata\.labels\.a: "b"/],
    ['create', {action: 'create', manifest}, /creates configmap settings/],
    [
      'apply',
      {action: 'apply', manifest: {...manifest, data: {a: 'b'}}},
      /creates configmap settings.*\+ data\.a: "b"/s,
    ],
    ['delete', {action: 'delete', ...WEB}, /kubectl delete deployment\/web.*deletes deployment/s],
    ['job', {action: 'job', image: 'tool:1', namespace: 'staging'}, /creates job step-[0-9a-f]{8}/],
    ['logs', {action: 'logs', ...WEB}, /would run: kubectl logs deployment\/web --tail=100 --namespace=staging/],
    ['wait', {action: 'wait', ...WEB}, /kubectl rollout status deployment\/web --timeout=60s/],
  ] as const)
    it(`of ${title} asks the API and changes nothing`, async () => {
      const before = bench.cluster.objects.revision
      expect(await text(config))
        .to.match(expected)
        .and.to.match(/^ready/)
      expect(bench.cluster.objects.revision).to.equal(before)
    })

  it('says when nothing would change', async () => {
    expect(await text({action: 'patch', patch: {spec: {replicas: 2}}, ...WEB})).to.contain(
      'leaves as it is deployment web',
    )
  })

  it('is an error for what is not there, unless an earlier handler may make it', async () => {
    const config = {action: 'restart', ...WEB, resource_name: 'nothing'}
    const message = 'Error from server (NotFound): deployments.apps "nothing" not found'
    expect(await bench.plan(config)).to.deep.equal({outcome: 'error', lines: [message]})
    const earlier = [k8sSpec({action: 'apply'})]
    expect((await bench.plan(config, {earlier})).outcome).to.equal('unknown')
  })

  it('is an error when the API forbids it, in the words of the API', async () => {
    bench.cluster.forbids = ({method}) => method === 'PATCH'
    const {outcome, lines} = await bench.plan({action: 'restart', ...WEB})
    bench.cluster.forbids = () => false
    expect(outcome).to.equal('error')
    expect(lines[0]).to.contain('User "tester" cannot patch resource "deployments"')
  })

  it('is UNKNOWN, with the reason, when no cluster answers', async () => {
    const lonely = bench.as(kubectl, '/nonexistent/kubeconfig')
    const {outcome, lines} = await lonely.plan({action: 'restart', ...WEB})
    expect(outcome).to.equal('unknown')
    expect(lines[0]).to.match(/^UNKNOWN: The connection to the server localhost:8080 was refused/)
  })

  it('is UNKNOWN where an output of an earlier handler is missing', async () => {
    const {outcome, lines} = await bench.plan({action: 'restart', ...WEB, resource_name: '${FOUND}'})
    expect([outcome, ...lines]).to.deep.equal(['unknown', 'UNKNOWN: Nothing gives a value to ${FOUND}'])
  })

  it('is UNKNOWN for what the runtime would refuse to run', async () => {
    const {outcome, lines} = await bench.plan({action: 'restore', backup_path: '/b'})
    expect(outcome).to.equal('unknown')
    expect(lines[0]).to.match(/^UNKNOWN: no kubectl command does restore.*; this runtime would refuse/)
  })

  it('is an error where nothing says which object', async () => {
    const {outcome, lines} = await bench.plan({action: 'restart', resource_type: 'deployment'})
    expect([outcome, ...lines]).to.deep.equal(['error', 'Nothing says which deployment to act on'])
  })
})
