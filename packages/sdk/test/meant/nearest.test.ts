import {nearestExecution, nearestWorkflow} from '../../src/meant/nearest.ts'
import {expect} from 'chai'

describe('what a mistyped name probably means', () => {
  const ids = ['restart-unhealthy-1.0.0', 'restart-unhealthy-1.10.0', 'restart-unhealthy-1.9.0', 'backup-verify-2.0.0']

  it('is the workflow whose name is spelt almost so, in the version asked for or the newest', () => {
    expect(nearestWorkflow('restart-unhealty-1.0.0', ids)).to.equal('restart-unhealthy-1.0.0')
    expect(nearestWorkflow('restart-unhealty-3.0.0', ids)).to.equal('restart-unhealthy-1.10.0')
    expect(nearestWorkflow('restart-unhealthy-1.0.1', ids)).to.equal('restart-unhealthy-1.10.0')
    for (const typed of ['restart-unhealthy', 'restart-unhealthy-1.0', 'restart-unhealthy@1.0.0'])
      expect(nearestWorkflow(typed, ids), typed).to.equal('restart-unhealthy-1.10.0')
  })

  it('is nothing where nothing is near, and never what is no workflow ID', () => {
    expect(nearestWorkflow('rotate-secret-1.0.0', ids)).to.equal(undefined)
    expect(nearestWorkflow('hello-1.0.0', [])).to.equal(undefined)
    expect(nearestWorkflow('hello-1.0.0', ['hello-1.0.0; rm -rf', 'hello\u001B-1.0.0', '']), 'hostile').to.equal(
      undefined,
    )
  })

  it('is the one execution that begins so, or almost is it', () => {
    const known = ['6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a11', '6b7c1111-58a5-4c56-9a55-0c8b7f0d9a12', 'x\u001B[2J']
    expect(nearestExecution('6b7c0', known)).to.equal(known[0])
    expect(nearestExecution('6B7C0A2E', known)).to.equal(known[0])
    expect(nearestExecution('6b7c', known), 'two begin so').to.equal(undefined)
    expect(nearestExecution('6b', known), 'too short').to.equal(undefined)
    expect(nearestExecution('6b7c0a2e-58a5-4c56-9a55-0c8b7f0d9a1', known)).to.equal(known[0])
    expect(nearestExecution('x', known)).to.equal(undefined)
  })
})
