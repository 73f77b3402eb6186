import {expect} from 'chai'
import {Redactor} from '../../src/secrets/redactor.ts'
import {StepSecrets} from '../../src/secrets/step.ts'
import {Bench} from '../kubernetes/bench.ts'
import {requireKubectl} from '../support/kubernetes/kubectl.ts'

const VALUE = 'cluster-canary-1/+x'
const secrets = new StepSecrets({db_password: VALUE}, new Redactor([VALUE]))

describe('secrets of k8s handlers', function () {
  this.timeout(60_000)
  let bench: Bench
  before(async function () {
    bench = await Bench.start(requireKubectl(this))
  })
  after(() => bench?.stop())

  const manifest = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {name: 'db', namespace: 'staging'},
    data: {password: '${DB_PASSWORD}'},
  }
  const clean = (value: unknown): void => {
    const text = JSON.stringify(value)
    expect(text).to.not.contain(VALUE).and.to.not.contain(Buffer.from(VALUE).toString('base64'))
  }

  it('reach the cluster in what is applied and patched, and no log or output', async () => {
    const applied = await bench.run({action: 'apply', manifest}, {secrets, spec: {outputs: {all: ''}}})
    expect(applied.error).to.equal(null)
    expect(bench.cluster.get('ConfigMap', 'staging', 'db').data.password).to.equal(VALUE)
    clean([secrets.clean(applied), bench.lines])
    const target = {resource_type: 'configmap', resource_name: 'db', namespace: 'staging'}
    const patch = {data: {again: '${params.db_password}'}}
    const patched = await bench.run({action: 'patch', ...target, patch}, {secrets})
    expect(patched.error).to.equal(null)
    expect(bench.cluster.get('ConfigMap', 'staging', 'db').data.again).to.equal(VALUE)
    clean([secrets.clean(patched), bench.lines])
  })

  it('have no value where kubectl would take it as an argument', async () => {
    const target = {resource_type: 'configmap', resource_name: 'db', namespace: 'staging'}
    const annotations = {note: '${DB_PASSWORD}'}
    const result = await bench.run({action: 'annotate', ...target, annotations}, {secrets})
    expect(result.error).to.equal('Nothing gives a value to ${DB_PASSWORD}')
  })
})
