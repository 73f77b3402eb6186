import {expect} from 'chai'
import type {BlastLimit} from '../../src/options.ts'
import {requireKubectl} from '../support/kubernetes/kubectl.ts'
import {STARTUP_MS} from '../support/waiting.ts'
import {Bench} from './bench.ts'

const WEB = {resource_type: 'deployment', resource_name: 'web', namespace: 'staging'}
const settings = (name: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {name, namespace: 'staging'},
})

describe('the limits of the safety policy, in a k8s handler', function () {
  this.timeout(STARTUP_MS)
  let bench: Bench
  before(async function () {
    bench = await Bench.start(requireKubectl(this))
    bench.cluster.addDeployment('staging', 'web')
  })
  after(() => bench?.stop())

  const cases: [string, BlastLimit, object, RegExp][] = [
    [
      'a factor that leads beyond the replicas',
      {maxReplicas: 3},
      {action: 'scale', scale_factor: 2, ...WEB},
      /4 replicas of deployment web, and 3/,
    ],
    [
      'a patch that hides replicas',
      {maxReplicas: 3},
      {action: 'patch', patch: {spec: {replicas: 70}}, ...WEB},
      /70 replicas/,
    ],
    [
      'a restart of more pods than may be affected',
      {maxPods: 1},
      {action: 'restart', ...WEB},
      /2 pods would be affected/,
    ],
    ['a scale-down that takes more pods away', {maxPods: 1}, {action: 'scale', replicas: 0, ...WEB}, /2 pods would be/],
    [
      'more objects than may change',
      {maxObjects: 1},
      {action: 'apply', manifest: [settings('a'), settings('b')], namespace: 'staging'},
      /2 objects would change/,
    ],
    ['a delete of more pods', {maxPods: 1}, {action: 'delete', ...WEB}, /2 pods would be affected/],
    ['another namespace', {namespaces: ['web']}, {action: 'restart', ...WEB}, /namespace staging is not one of web/],
    [
      'a context that nobody named, by the limits of the current one',
      {contexts: ['*'], maxPods: 1},
      {action: 'restart', ...WEB},
      /2 pods/,
    ],
  ]
  for (const [what, limit, config, expected] of cases)
    it(`stop ${what}, in the plan and when it runs, before anything changes`, async () => {
      bench.limits = [limit]
      const before = bench.cluster.objects.revision
      const plan = await bench.plan(config)
      expect(plan.outcome).to.equal('error')
      expect(plan.lines.join('\n')).to.match(expected)
      const result = await bench.run(config)
      expect(result.status).to.equal('error')
      expect(result.error).to.match(expected).and.to.contain('the safety policy does not allow it')
      expect(bench.cluster.objects.revision).to.equal(before)
    })

  it('let through what stays within them', async () => {
    bench.limits = [{namespaces: ['stag*'], maxReplicas: 3, maxPods: 3, maxObjects: 1}]
    const {status, error} = await bench.run({action: 'scale', replicas: 3, ...WEB})
    expect([status, error]).to.deep.equal(['success', null])
  })

  it('of another context do not count', async () => {
    bench.limits = [{contexts: ['production'], maxPods: 0}]
    expect(await bench.run({action: 'restart', ...WEB})).to.include({status: 'success'})
  })
})
