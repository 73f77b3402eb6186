import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {createSafetySource} from '../src/safety.ts'

describe('safety policy files', () => {
  let directory: string
  let file: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'safety-'))
    file = join(directory, 'safety.yaml')
  })
  after(() => rmSync(directory, {recursive: true, force: true}))

  const read = (text: string): Promise<unknown> => {
    writeFileSync(file, text)
    return createSafetySource(file)().catch((error: unknown) => error)
  }

  it('hold approvals and freeze windows', async () => {
    const window = '{from: "2026-12-20T00:00:00Z", to: "2027-01-02T00:00:00+01:00", reason: holidays}'
    expect(await read(`approvals: {quorum: 2, expiry: "12h"}\nfreeze:\n  - ${window}\n`)).to.deep.equal({
      quorum: 2,
      approvalExpiryMs: 43_200_000,
      freezes: [{from: new Date('2026-12-20T00:00:00Z'), to: new Date('2027-01-01T23:00:00Z'), reason: 'holidays'}],
    })
  })

  it('hold limits, by the names that the file uses', async () => {
    const text =
      'limits:\n  - {contexts: ["prod-*"], namespaces: [web], handlers: [k8s], max_replicas: 9, max_objects: 3, max_pods: 50}\n'
    expect(await read(text)).to.deep.include({
      limits: [
        {contexts: ['prod-*'], namespaces: ['web'], handlers: ['k8s'], maxReplicas: 9, maxObjects: 3, maxPods: 50},
      ],
    })
  })

  it('are read for every question, so that an edit counts at once', async () => {
    writeFileSync(file, 'approvals: {quorum: 2}\n')
    const source = createSafetySource(file)
    expect(await source()).to.include({quorum: 2})
    writeFileSync(file, 'approvals: {quorum: 3}\n')
    expect(await source()).to.include({quorum: 3})
  })

  it('need not be there at all', async () => {
    expect(await createSafetySource(undefined)()).to.deep.equal({})
  })

  for (const [what, text] of [
    ['an unknown key', 'quorum: 2\n'],
    ['a quorum of none', 'approvals: {quorum: 0}\n'],
    ['a duration that is none', 'approvals: {expiry: "soon"}\n'],
    [
      'a freeze that ends before it begins',
      'freeze: [{from: "2027-01-01T00:00:00Z", to: "2026-01-01T00:00:00Z", reason: x}]\n',
    ],
    ['a freeze without a reason', 'freeze: [{from: "2026-01-01T00:00:00Z", to: "2027-01-01T00:00:00Z"}]\n'],
    ['a time without its zone', 'freeze: [{from: "2026-01-01", to: "2027-01-01", reason: x}]\n'],
    ['a limit nobody knows', 'limits: [{max_nodes: 3}]\n'],
    ['a limit below none', 'limits: [{max_pods: -1}]\n'],
    ['no namespaces at all', 'limits: [{namespaces: []}]\n'],
    ['a list', '- x\n'],
    ['no YAML', 'freeze: [\n'],
  ])
    it(`are refused with ${what}`, async () => {
      expect(await read(text!)).to.include({code: 'CONFIG_INVALID'})
    })

  it('are missed when they are named and not there', async () => {
    rmSync(file)
    expect(await createSafetySource(file)().catch((error: unknown) => error)).to.include({code: 'INPUT_UNREADABLE'})
  })
})
