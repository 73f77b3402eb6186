import {expect} from 'chai'
import {type ExecutionOutcome, outcomeError} from '@atomctl/sdk/execution'

const ended = (status: string, more: object = {}): ExecutionOutcome =>
  ({execution_id: 'e-1', workflow_id: 'hello-1.0.0', status, logs: [], ...more}) as unknown as ExecutionOutcome

describe('outcomeError', () => {
  it('is none for what completed', () => {
    expect(outcomeError(ended('completed'))).to.equal(undefined)
  })

  const cases: [string, object, string, string][] = [
    ['failed', {}, 'EXECUTION_FAILED', 'Execution failed'],
    ['cancelled', {}, 'EXECUTION_CANCELLED', 'Execution cancelled'],
    ['rejected', {}, 'EXECUTION_REJECTED', 'Execution rejected'],
    ['rolled_back', {error_code: 'DENIED'}, 'EXECUTION_ROLLED_BACK', 'was rolled back'],
    ['failed', {rollback: {status: 'failed'}, error_code: 'SECRET_DENIED'}, 'ROLLBACK_FAILED', 'rollback failed'],
    ['failed', {error_code: 'DENIED'}, 'DENIED', 'Execution denied'],
    ['failed', {error_code: 'SECRET_DENIED'}, 'SECRET_DENIED', 'Execution failed'],
    ['failed', {error_code: 'SECRET_UNAVAILABLE'}, 'SECRET_UNAVAILABLE', 'Execution failed'],
    ['failed', {error_code: 'WPK_UNSIGNED'}, 'EXECUTION_FAILED', 'Execution failed'],
    ['failed', {error_code: '__proto__'}, 'EXECUTION_FAILED', 'Execution failed'],
    ['strange', {}, 'PROTOCOL', 'ended as strange'],
  ]
  for (const [status, more, code, words] of cases) {
    it(`is ${code} for ${status} ${JSON.stringify(more)}`, () => {
      const error = outcomeError(ended(status, {error_message: 'the reason', ...more}))
      expect(error?.code).to.equal(code)
      expect(error?.message).to.contain(words).and.contain(': the reason')
    })
  }
})
