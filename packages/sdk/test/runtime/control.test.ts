import {expect} from 'chai'
import nock from 'nock'
import {codeOf} from '../http/support.ts'
import {URL_OF_NOCK, useRuntimeStage} from './stage.ts'

const DIGESTS = {document_digest: `sha256:${'a'.repeat(64)}`, parameters_digest: `sha256:${'b'.repeat(64)}`}
const APPROVAL = {
  state: 'approved',
  required_by: 'package',
  reason: 'The package asks for an approval',
  quorum: 1,
  approvals: [{by: 'ben', at: '2026-01-01T00:00:00Z', reason: null}],
  expires_at: '2026-01-02T00:00:00Z',
  ...DIGESTS,
}

describe('runtime client, in control of executions', () => {
  const {ours, announce, startDouble} = useRuntimeStage()

  it('asks an original runtime for nothing that it would not understand', async () => {
    const {double, runtime} = await startDouble()
    const attempts = [runtime.approve('e-1', {}), runtime.reject('e-1', {reason: 'no'}), runtime.retry('e-1')]
    for (const attempt of attempts) expect(await codeOf(attempt)).to.equal('NOT_SUPPORTED')
    expect(double.requests.filter(({method}) => method === 'POST')).to.have.length(0)
  })

  it('sends what the approver looked at along with the approval', async () => {
    announce('approvals')
    nock(URL_OF_NOCK)
      .post('/execute/e-1/approve', {reason: 'fine', ...DIGESTS})
      .reply(200, {execution_id: 'e-1', status: 'pending', approval: APPROVAL})
    const reply = await ours().approve('e-1', {reason: 'fine', ...DIGESTS})
    expect(reply.approval.approvals[0]).to.include({by: 'ben'})
  })

  for (const [status, code] of [
    [403, 'DENIED'],
    [409, 'CONFLICT'],
  ] as const)
    it(`says ${code} when the runtime does`, async () => {
      announce('approvals')
      nock(URL_OF_NOCK).post('/execute/e-1/reject').reply(status, {detail: 'no', code})
      expect(await codeOf(ours().reject('e-1', {reason: 'no'}))).to.equal(code)
    })

  it('retries with a key of its own and names the step', async () => {
    announce('retry')
    nock(URL_OF_NOCK, {reqheaders: {'idempotency-key': /^[0-9a-f-]{36}$/}})
      .post('/execute/e-1/retry', {from: 'two'})
      .reply(200, {execution_id: 'e-2', status: 'started'})
    expect((await ours().retry('e-1', 'two')).execution_id).to.equal('e-2')
  })
})
