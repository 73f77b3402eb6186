import {expect} from 'chai'
import type {AtomDoubleOptions} from '@atomctl/sdk/testing'
import {call, execute, type Reply, settled, useDoubles} from './support.ts'

describe('an execution of the double', () => {
  const start = useDoubles()
  const run = async (spec: object, dryRun = false, options: AtomDoubleOptions = {}): Promise<Reply['body']> => {
    const double = await start(options)
    const {body} = await execute(double, {
      workflow_id: 'w',
      wpk_content: {metadata: {name: 'w'}, spec},
      dry_run: dryRun,
    })
    return settled(double, body.execution_id)
  }
  const step = (name: string, action = 'logs'): object => ({name, type: 'k8s', config: {action}})

  it('runs its steps one after the other and completes', async () => {
    const state = await run({handlers: [step('a'), step('b')]})
    expect(state).to.include({status: 'completed', steps_completed: 2, total_steps: 2, current_step: 'b'})
    expect(state.logs).to.deep.equal(['Handler a: success', 'Handler b: success'])
    expect(state.completed_at).not.to.match(/Z$/)
  })

  it('takes 0.1 s per step, its log line already there', async () => {
    const double = await start({stepTime: 60_000})
    const {body} = await execute(double, {
      workflow_id: 'w',
      wpk_content: {metadata: {name: 'w'}, spec: {handlers: [step('a')]}},
    })
    const {body: state} = await call(`${double.runtimeUrl}/execute/${body.execution_id}`)
    expect(state).to.include({status: 'running', steps_completed: 0, current_step: 'a'})
    expect(state.logs).to.deep.equal(['Handler a: success'])
    expect((await call(`${double.runtimeUrl}/health`)).body.active_executions).to.equal(1)
    const rollback = await call(`${double.runtimeUrl}/rollback/${body.execution_id}`, {method: 'POST'})
    expect([rollback.status, rollback.body]).to.deep.equal([400, {detail: 'Cannot rollback running execution'}])
  })

  it('fails at an action it does not know, which a dry run hides', async () => {
    const handlers = [step('a'), step('b', 'metrics'), step('c')]
    const state = await run({handlers})
    expect(state).to.include({
      status: 'failed',
      steps_completed: 1,
      error_message: 'Handler b failed: Unknown k8s action: metrics',
    })
    expect((await run({handlers}, true)).status).to.equal('completed')
  })

  it('is rolled back even when every rollback handler errs', async () => {
    const rollback = {enabled: true, handlers: [step('undo', 'patch'), {name: 'x', type: 'odd', config: {}}]}
    const state = await run({handlers: [step('a', 'get')], rollback})
    expect(state).to.include({status: 'rolled_back', error_message: 'Handler a failed: Unknown k8s action: get'})
    expect(state.logs.slice(1)).to.deep.equal(['Starting rollback...', 'Rollback undo: error', 'Rollback completed'])
  })

  it('stays failed when a rollback handler is malformed', async () => {
    const state = await run({
      handlers: [step('a', 'get')],
      rollback: {enabled: true, handlers: [{name: 'x', type: 'k8s'}]},
    })
    expect(state.status).to.equal('failed')
    expect(state.logs.at(-1)).to.equal("Rollback failed: 'config'")
  })

  it('reports missing keys as Python does', async () => {
    expect((await run({handlers: [{type: 'k8s', config: {}}]})).error_message).to.equal("'name'")
    expect((await run({handlers: [{name: 'a', type: 'odd', config: {}}]})).error_message).to.equal(
      'Unknown handler type: odd',
    )
    expect((await run({handlers: ['text']})).error_message).to.equal("string indices must be integers, not 'str'")
  })

  it('stays pending without handlers, and running with null ones', async () => {
    expect((await run({})).status).to.equal('pending')
    const double = await start()
    const {body} = await execute(double, {
      workflow_id: 'w',
      wpk_content: {metadata: {name: 'w'}, spec: {handlers: null}},
    })
    expect((await call(`${double.runtimeUrl}/execute/${body.execution_id}`)).body.status).to.equal('running')
  })
})
