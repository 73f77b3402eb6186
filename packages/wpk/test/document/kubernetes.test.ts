import {expect} from 'chai'

import {kindOf, refuseAction, waitMeaning} from '../../src/document/index.ts'

describe('What k8s actions mean', () => {
  for (const [config, key] of [
    [{action: 'restore', backup_path: '/b'}, 'action'],
    [{action: 'metrics', query: 'rate(x[5m])'}, 'query'],
    [{action: 'metrics', resource_type: 'deployment'}, 'resource_type'],
    [{action: 'wait', condition: 'latency_improved'}, 'condition'],
    [{action: 'restart', resource_type: 'pod'}, 'resource_type'],
    [{action: 'scale', resource_type: 'daemonset', replicas: 2}, 'resource_type'],
    [{action: 'scale', replicas: 2, scale_factor: 2}, 'scale_factor'],
    [{action: 'get', resource_type: 'secrets', field: '{.data.password}'}, 'field'],
    [{action: 'annotate', annotation: 'a'}, 'annotation'],
    [{action: 'label', label: 'a'}, 'label'],
    [{action: 'create', template: 'original_job'}, 'template'],
    [{action: 'create', manifest: {}, delay: 'exponential_backoff'}, 'delay'],
    [{action: 'create', manifest: {}, max_retries: 3}, 'max_retries'],
    [{action: 'copy', source: '/a', destination: '/b'}, 'source'],
  ] as const)
    it(`there is nothing honest to do for ${JSON.stringify(config)}`, () => {
      expect(refuseAction(config)?.key).to.equal(key)
    })

  it('what a placeholder will say is not refused beforehand', () => {
    for (const config of [
      {action: 'wait', condition: '${CONDITION}'},
      {action: 'restart', resource_type: '${KIND}'},
      {action: 'create', manifest: {}, delay: '${DELAY}'},
      {action: 'copy', source: '${FROM}', destination: 'here'},
    ])
      expect(refuseAction(config), JSON.stringify(config)).to.equal(undefined)
    expect(refuseAction({action: 'constructor'})).to.equal(undefined)
  })

  it('a condition is waited for as its kind can', () => {
    expect(waitMeaning('ready', 'deploy')).to.equal('rollout')
    expect(waitMeaning('Ready', 'pod')).to.deep.equal({for: 'condition=Ready'})
    expect(waitMeaning('complete', 'job')).to.deep.equal({for: 'condition=Complete'})
    expect(waitMeaning('condition=Synced', 'externalsecret')).to.deep.equal({for: 'condition=Synced'})
    expect(waitMeaning('healthy', 'pod')).to.equal(undefined)
    expect(waitMeaning('delete --all', 'pod')).to.equal(undefined)
  })

  it('kinds go by short names, plurals and groups', () => {
    expect(['deploy', 'Deployments', 'deployments.apps', 'widget.example.com'].map(kindOf)).to.deep.equal([
      'deployment',
      'deployment',
      'deployment',
      'widget',
    ])
  })
})
