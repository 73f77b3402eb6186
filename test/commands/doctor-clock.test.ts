import type {AtomContext} from '@atomctl/sdk/context'
import type {Interfaces} from '@oclif/core'
import {expect} from 'chai'
import {checkServices} from '../../src/lib/doctor/services.ts'

const NOW = new Date('2026-01-01T12:00:00Z')

/** A context whose services answer with this time. */
function contextAt(timestamp: string): AtomContext {
  const client = {
    health: async () => ({status: 'healthy', timestamp}),
    discover: async () => undefined,
    list: async () => ({}),
  }
  return {registry: async () => client, runtime: async () => client} as unknown as AtomContext
}

const check = (timestamp: string) =>
  checkServices({atom: contextAt(timestamp), config: {} as Interfaces.Config, now: () => NOW})

describe('the clock check of doctor', () => {
  it('says nothing while the clocks agree within a minute', async () => {
    const results = await check('2026-01-01T12:00:40Z')
    expect(results.map(({check: name}) => name)).to.deep.equal(['registry', 'runtime'])
  })

  it('takes a time without zone for UTC, as the original services mean it', async () => {
    expect((await check('2026-01-01T12:00:00.123456')).every(({status}) => status === 'ok')).to.equal(true)
  })

  for (const [timestamp, words] of [
    ['2026-01-01T12:05:00Z', '300 s ahead of this machine'],
    ['2026-01-01T11:00:00Z', '3600 s behind this machine'],
  ] as const) {
    it(`warns of a service that is ${words}`, async () => {
      const warnings = (await check(timestamp)).filter(({check: name}) => name === 'clock')
      expect(warnings).to.have.length(2)
      expect(warnings[0]).to.include({status: 'warn', message: `the registry is ${words}`})
    })
  }

  it('says nothing about a time it cannot read', async () => {
    expect((await check('soon')).every(({status}) => status === 'ok')).to.equal(true)
  })
})
