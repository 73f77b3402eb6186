import {readFileSync} from 'node:fs'
import {expect} from 'chai'
import {shell, type PackageShape} from '../support/packages.ts'
import {TestService} from '../support/service.ts'
import {STARTUP_MS} from '../support/waiting.ts'

describe('rollback', () => {
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start()
  })
  after(() => service.stop())

  const note = (file: string, text: string): string => `echo ${text} >> "${service.path(file)}"`
  const withRollback = (handlers: object[], undo: object[]): PackageShape => ({
    handlers,
    safety: {rollback_enabled: true},
    rollback: {enabled: true, handlers: undo},
  })

  it('undoes what completed, the last first, and only that', async () => {
    const file = 'order'
    const undo = (name: string): object => shell(`undo-${name}`, note(file, `undo-${name}`), {undoes: name})
    const execution = await service.run(
      withRollback(
        [shell('a', note(file, 'a')), shell('b', note(file, 'b')), shell('c', 'exit 4'), shell('d', note(file, 'd'))],
        [undo('a'), undo('b'), undo('c'), undo('d'), shell('tidy', note(file, 'tidy'))],
      ),
    )
    expect(execution).to.include({
      status: 'rolled_back',
      error_message: 'Handler c failed: exit code 4',
      current_step: 'c',
      steps_completed: 2,
    })
    expect(readFileSync(service.path(file), 'utf8').trim().split('\n')).to.deep.equal([
      'a',
      'b',
      'undo-b',
      'undo-a',
      'tidy',
    ])
    const logs = execution.logs ?? []
    expect(logs.slice(logs.indexOf('Handler c: error'))).to.deep.equal([
      'Handler c: error',
      'Starting rollback...',
      'Rollback undo-b: success',
      'Rollback undo-a: success',
      'Rollback tidy: success',
      'Rollback completed',
    ])
  })

  it('that fails leaves the execution failed, goes on with the rest and names both', async () => {
    const execution = await service.run(
      withRollback([shell('a', 'exit 1')], [shell('broken', 'exit 9'), shell('after', note('after', 'after'))]),
    )
    expect(execution.status).to.equal('failed')
    expect(execution.error_message)
      .to.contain('Handler a failed: exit code 1')
      .and.to.contain('broken failed: exit code 9')
    expect(readFileSync(service.path('after'), 'utf8')).to.equal('after\n')
    expect(execution.logs?.some((line) => line.startsWith('Rollback failed: '))).to.equal(true)
  })

  it('does not happen when it is not enabled', async () => {
    const rollback = {enabled: false, handlers: [shell('undo', 'true')]}
    const execution = await service.run({handlers: [shell('a', 'exit 1')], rollback})
    expect(execution.status).to.equal('failed')
    expect(execution.logs).to.not.include('Starting rollback...')
  })
})
