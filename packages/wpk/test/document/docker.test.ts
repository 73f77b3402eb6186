import {expect} from 'chai'
import {readDocument, reachesEngine, refuseContainer} from '../../src/document/index.ts'

describe('what a docker handler may be', () => {
  const keyOf = (config: object): string | undefined => refuseContainer({image: 'app:1', ...config})?.key

  for (const [what, config, key] of [
    ['a privileged container', {privileged: true}, 'privileged'],
    ["the host's network", {network: 'host'}, 'network'],
    ["another container's network", {network: 'container:db'}, 'network'],
    ["Docker's socket", {mounts: ['/var/run/docker.sock:/sock']}, 'mounts[0]'],
    ["Docker's socket, written around a corner", {mounts: ['/var/run/../run//docker.sock:/sock']}, 'mounts[0]'],
    ["Podman's socket", {mounts: ['data:/data', '/run/user/1000/podman/podman.sock:/sock']}, 'mounts[1]'],
    ['any socket', {mounts: [{source: '/srv/engine.sock', target: '/sock'}]}, 'mounts[0]'],
    ['the folder of a socket', {mounts: ['/var/run:/host']}, 'mounts[0]'],
    ['a folder above it', {mounts: ['/var:/host']}, 'mounts[0]'],
    ['the host', {mounts: ['/:/host']}, 'mounts[0]'],
    ['the host through a process', {mounts: ['/proc/1/root:/host']}, 'mounts[0]'],
    ["the host's devices", {mounts: ['/dev/vda:/disk']}, 'mounts[0]'],
    ['a folder outside the package', {mounts: ['../other:/data']}, 'mounts[0]'],
    ['a folder outside the package, hidden', {mounts: ['data/../../other:/data']}, 'mounts[0]'],
    ['a parameter as a mount', {mounts: ['${PATH_OF}:/data']}, 'mounts[0]'],
    ['no target', {mounts: ['data']}, 'mounts[0]'],
    ['a relative target', {mounts: ['data:data']}, 'mounts[0]'],
    ['an unknown mode', {mounts: ['data:/data:z']}, 'mounts[0]'],
    ['a NUL', {mounts: [{source: 'a\0b', target: '/data'}]}, 'mounts[0]'],
    ['the same target twice', {mounts: ['a:/data', 'b:/data/']}, 'mounts[1]'],
    ["the package's place", {mounts: ['a:/package']}, 'mounts[0]'],
    ["the outputs' place", {mounts: ['a:/atom/output']}, 'mounts[0]'],
    ['the root as target', {mounts: ['a:/']}, 'mounts[0]'],
  ] as const)
    it(`is not ${what}`, () => {
      expect(keyOf(config)).to.equal(key)
    })

  it('is a container with its own network, folders of the package and harmless ones of the host', () => {
    for (const config of [
      {},
      {network: 'bridge'},
      {privileged: false},
      {mounts: ['data:/data', './more:/more:rw', {source: '/srv/data', target: '/srv', read_only: false}]},
    ])
      expect(refuseContainer({image: 'app:1', ...config}), JSON.stringify(config)).to.equal(undefined)
  })

  it('is not near a socket that the runtime itself uses', () => {
    expect(reachesEngine('/srv/engine', ['/srv/engine/api'])).to.equal(true)
    expect(reachesEngine('/srv/engineering', ['/srv/engine/api'])).to.equal(false)
  })

  it('is told at validate, with its place', () => {
    const text = documentWith('privileged: true')
    const {findings} = readDocument(Buffer.from(text), 'a.wpk.yaml')
    const [found] = findings.filter(({rule}) => rule === 'docker_unsupported')
    expect(found).to.include({severity: 'warning', path: 'spec.handlers[0].config.privileged'})
    expect(found?.message).to.contain('A runtime refuses this')
  })

  for (const limits of ['{cpu: "much"}', '{memory: "-1Gi"}', '{disk: "1Gi"}', '3'])
    it(`has no limits like ${limits}`, () => {
      const {findings} = readDocument(Buffer.from(documentWith(`limits: ${limits}`)), 'a.wpk.yaml')
      expect(findings.filter(({severity}) => severity === 'error')).to.have.length(1)
    })
})

function documentWith(line: string): string {
  return `apiVersion: v1
kind: WorkflowPackage
metadata:
  name: a
  version: "1.0.0"
  description: A test
  author: The tests
  tags: [test]
spec:
  runtime:
    type: docker
  safety:
    mode: manual
  handlers:
    - name: box
      type: docker
      config:
        image: app:1
        ${line}
`
}
