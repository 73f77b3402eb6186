import {expect} from 'chai'
import {planRollout} from '../lib/rollout.js'

describe('a rollout', () => {
  it('names each site once, in order', () => {
    expect(planRollout('hello-1.0.0', 'SHA256:x', 'oslo, berlin,oslo').sites).to.deep.equal(['berlin', 'oslo'])
  })

  it('refuses what cannot be the name of a site', () => {
    expect(() => planRollout('hello-1.0.0', 'SHA256:x', 'berlin,../etc')).to.throw('"../etc" is not the name of a site')
  })
})
