import {loadDocument} from '@atomctl/wpk/document'
import {expect} from 'chai'
import {rehearse, type Mocked, type Rehearsal} from '../src/rehearsal/index.ts'

const HEAD = `apiVersion: v1
kind: WorkflowPackage
metadata: {name: p, version: "1.0.0", description: d, author: a, signature: ""}
spec:
  runtime: {type: k8s}
  safety: {mode: manual}
`

async function play(
  spec: string,
  mocks: Readonly<Record<string, Mocked>>,
  more: Partial<Parameters<typeof rehearse>[0]> = {},
): Promise<Rehearsal> {
  return rehearse({
    document: loadDocument(Buffer.from(HEAD + spec), 'p.wpk.yaml'),
    parameters: {},
    secrets: {},
    start: new Date('2026-01-01T00:00:00Z'),
    script: (name) => mocks[name],
    cancelDuring: undefined,
    requestedBy: 'ada',
    quorum: 1,
    decisions: [],
    ...more,
  })
}

describe('a rehearsal', () => {
  it('tells the command lines of every kind of k8s action without a cluster', async () => {
    const spec = `  handlers:
    - {name: get, type: k8s, config: {action: get, resource_type: pod, resource_name: a, namespace: ns}}
    - {name: label, type: k8s, config: {action: label, resource_type: pod, selector: app=x, label: tier, value: web}}
    - {name: exec, type: k8s, config: {action: exec, resource_type: pod, resource_name: a, command: [ls, -l]}}
    - {name: delete, type: k8s, config: {action: delete, resource_type: pod, resource_name: a}}
    - {name: roll, type: k8s, config: {action: rollback, resource_type: deployment, resource_name: a}}
    - {name: job, type: k8s, config: {action: job, name: j, image: "i:1", command: [run]}}
    - name: apply
      type: k8s
      config: {action: apply, manifest: {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {a: b}}}
`
    const names = ['get', 'label', 'exec', 'delete', 'roll', 'job', 'apply']
    const {status, calls, message} = await play(spec, Object.fromEntries(names.map((name) => [name, {}])))
    expect(status, String(message)).to.equal('completed')
    expect(calls.map(({step, kubectl}) => [step, kubectl])).to.deep.equal([
      ['get', ['kubectl get pod/a --output=yaml --namespace=ns']],
      ['label', ['kubectl label pod/selected --overwrite tier=web']],
      ['exec', ['kubectl exec pod/a -- ls -l']],
      ['delete', ['kubectl delete pod/a --ignore-not-found']],
      ['roll', ['kubectl patch deployment/a --type=strategic']],
      ['job', ['kubectl create --filename=-']],
      ['apply', ['kubectl apply --filename=-']],
    ])
    expect(calls.map(({unknown}) => unknown)).to.deep.equal(names.map(() => undefined))
  })

  it('masks the values of Secrets in what it says would be sent', async () => {
    const spec = `  handlers:
    - name: patch
      type: k8s
      config: {action: patch, resource_type: secret, resource_name: s, patch: {stringData: {password: hunter2-canary}}}
    - name: create
      type: k8s
      config: {action: create, manifest: {apiVersion: v1, kind: Secret, metadata: {name: s}, data: {p: aHVudGVyMi1jYW5hcnk=}}}
`
    const rehearsal = await play(spec, {patch: {}, create: {}})
    expect(rehearsal.status, String(rehearsal.message)).to.equal('completed')
    expect(JSON.stringify(rehearsal)).not.to.match(/hunter2-canary|aHVudGVyMi1jYW5hcnk=/)
    expect(rehearsal.calls[0]?.input).to.deep.equal([{stringData: {password: '***'}}])
  })

  it('gives secrets to the steps that name them, and takes them out of the words of every call', async () => {
    const secret = 'made-up "canary"'
    const spec = `  parameters: [{name: token, type: secret, sources: [env]}]
  handlers:
    - {name: box, type: docker, config: {image: "busybox:1", command: [env], env: {T: "x\${TOKEN}"}}}
    - name: object
      type: k8s
      config: {action: apply, manifest: {apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {t: "\${TOKEN}"}}}
    - {name: none, type: shell, config: {command: "true"}}
    - {name: some, type: shell, config: {command: "echo $TOKEN"}}
    - name: send
      type: api
      config: {url: "http://127.0.0.1/", method: POST, headers: {a: "Bearer \${TOKEN}"}, payload: {t: "\${TOKEN}"}}
`
    const mocks = {box: {output: secret}, object: {}, none: {output: secret}, some: {}, send: {}}
    const rehearsal = await play(spec, mocks, {secrets: {token: secret}})
    expect(rehearsal.status, String(rehearsal.message)).to.equal('completed')
    const calls = Object.fromEntries(rehearsal.calls.map(({step, ...call}) => [step, call]))
    expect(calls['box']?.env).to.deep.equal(['TOKEN', 'T'])
    expect(calls['object']?.input).to.deep.equal([
      {apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'c'}, data: {t: '***'}},
    ])
    expect([calls['none']?.env, calls['some']?.env]).to.deep.equal([[], ['TOKEN']])
    expect(calls['send']).to.deep.include({body: {t: '***'}})
    expect(calls['send']?.headers).to.include({a: 'Bearer ***'})
    expect(JSON.stringify(rehearsal)).not.to.contain('canary')
  })

  it('tells which container would run, and judges its outputs', async () => {
    const spec = `  parameters: [{name: tag, type: string, required: true}]
  handlers:
    - name: check
      type: docker
      config: {image: "busybox:\${TAG}", command: [sha256sum, "\${TAG}"], env: {MODE: fast}}
      outputs: {files: number}
`
    const good = await play(spec, {check: {outputs: {files: 2}}}, {parameters: {tag: '1.36'}})
    expect(good.calls[0]).to.deep.include({image: 'busybox:1.36', command: 'sha256sum 1.36', env: ['TAG', 'MODE']})
    expect(good.steps[0]?.outputs).to.deep.equal({files: '2'})
    const silent = await play(spec, {check: {}}, {parameters: {tag: '1.36'}})
    expect(silent).to.include({status: 'failed'})
    expect(silent.message).to.contain('did not write files')
  })

  it('fails a step whose values make no command, as a runtime would, without asking for its result', async () => {
    const spec = `  parameters: [{name: host, type: string, required: true}]
  handlers:
    - {name: ask, type: api, config: {url: "http://\${HOST}/x"}}
`
    const {status, message, calls} = await play(spec, {ask: {}}, {parameters: {host: 'a/b?c'}})
    expect({status, calls}).to.deep.equal({status: 'failed', calls: []})
    expect(message).to.contain('changes more than the host')
  })

  it('ends where a handler without a result is reached', async () => {
    const spec = `  handlers:
    - {name: a, type: shell, config: {command: "true"}}
    - {name: b, type: shell, config: {command: "true"}}
    - {name: c, type: shell, config: {command: "true"}}
`
    const {unmocked, steps} = await play(spec, {a: {}, c: {}})
    expect(unmocked).to.equal('b')
    expect(steps.map(({name, status}) => `${name} ${status}`)).to.deep.equal(['a completed', 'b running'])
  })
})
