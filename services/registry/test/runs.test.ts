import {expect} from 'chai'
import {runHistory} from '@atomctl/protocol/registry'
import {createKey, signText, writeDocument, type Key} from './support/packages.ts'
import {call, push, startServer, TOKENS, type TestServer} from './support/server.ts'

describe('the run history of the registry', function () {
  this.timeout(60_000)
  let key: Key
  let server: TestServer

  before(async () => {
    key = await createKey()
    server = await startServer(key.policy)
    for (const name of ['one', 'two', 'three']) await push(server, await signText(writeDocument({name}), key.signer))
  })
  after(() => server?.close())

  const notify = (id: string, json: unknown) => call(server, `/workflows/${id}/runs/notify`, {method: 'POST', json})
  const runs = async (path: string) => runHistory.parse((await call(server, path)).body)

  it('records what is notified and shows the latest run in the entry', async () => {
    const answer = await notify('one-1.0.0', {run_id: 'r1', status: 'completed', duration_ms: 1234})
    expect(answer.status).to.equal(200)
    expect(answer.body).to.include({workflow_id: 'one-1.0.0', run_id: 'r1', status: 'updated'})
    const {body} = await call(server, '/workflows/one-1.0.0')
    expect(body).to.include({latest_run_id: 'r1', latest_run_status: 'completed', total_runs: 1})
    expect(body.latest_run_at).to.match(/Z$/)
    const history = await runs('/workflows/one-1.0.0/runs')
    expect(history).to.include({workflow_id: 'one-1.0.0', page: 1, limit: 20, total: 1})
    expect(history.runs[0]).to.include({run_id: 'r1', status: 'completed', duration_ms: 1234})
    expect(history.runs[0]?.created_at).to.match(/Z$/)
  })

  it('copies run_id and status unchecked, and lets them be absent', async () => {
    expect((await notify('two-1.0.0', {})).body.run_id).to.equal(null)
    expect((await notify('two-1.0.0', {run_id: 7, status: {code: 3}})).body.run_id).to.equal(7)
    const {body} = await call(server, '/workflows/two-1.0.0')
    expect(body).to.deep.include({latest_run_id: 7, latest_run_status: {code: 3}, total_runs: 2})
    expect((await runs('/workflows/two-1.0.0/runs')).runs.map(({status}) => status)).to.deep.equal([
      '{"code":3}',
      'unknown',
    ])
  })

  it('takes a second notice of a run as news of the same run', async () => {
    await notify('three-1.0.0', {run_id: 'same', status: 'running'})
    await notify('three-1.0.0', {
      run_id: 'same',
      status: 'failed',
      started_at: '2026-11-23T04:48:54.017166',
      completed_at: '2026-11-23T04:48:56.517166',
    })
    const history = await runs('/workflows/three-1.0.0/runs')
    expect(history.runs).to.have.length(1)
    expect(history.runs[0]).to.include({status: 'failed', duration_ms: 2500})
    expect((await call(server, '/workflows/three-1.0.0')).body.total_runs).to.equal(1)
  })

  it('loses none of many notices at once', async () => {
    const before = (await call(server, '/workflows/one-1.0.0')).body.total_runs
    await Promise.all(Array.from({length: 40}, (_, i) => notify('one-1.0.0', {run_id: `p${i}`, status: 'completed'})))
    expect((await call(server, '/workflows/one-1.0.0')).body.total_runs).to.equal(before + 40)
  })

  it('pages newest first, with the original’s meaning of limit and page', async () => {
    await notify('one-1.0.0', {run_id: 'newest', status: 'completed'})
    const all = await runs('/workflows/one-1.0.0/runs?limit=-1')
    expect(all.runs.length).to.equal(all.total)
    expect(all.runs[0]?.run_id).to.equal('newest')
    const second = await runs('/workflows/one-1.0.0/runs?limit=10&page=2')
    expect(second.runs).to.deep.equal(all.runs.slice(10, 20))
    expect((await runs('/workflows/one-1.0.0/runs?limit=10&page=0')).runs).to.deep.equal(all.runs.slice(0, 10))
    expect((await runs('/workflows/one-1.0.0/runs?limit=0')).runs).to.deep.equal([])
  })

  it('is empty for what is not known, while notices of it are refused', async () => {
    expect(await runs('/workflows/none-1.0.0/runs')).to.deep.include({runs: [], total: 0})
    expect((await notify('none-1.0.0', {run_id: 'x'})).status).to.equal(404)
  })

  for (const query of ['limit=many', 'page=x', 'limit=-2', 'limit=1.5']) {
    it(`answers 422 to ${query}`, async () => {
      const {status, body} = await call(server, `/workflows/one-1.0.0/runs?${query}`)
      expect([status, body.detail[0].loc]).to.deep.equal([422, ['query', query.split('=', 1)[0]]])
    })
  }

  for (const [title, body] of [
    ['an array', '[]'],
    ['a text', '"x"'],
    ['null', 'null'],
    ['cut-off JSON', '{"run_id": '],
    ['NaN', '{"status": NaN}'],
    ['nothing', ''],
    ['a prototype', '{"__proto__": {"admin": true}}'],
    ['a null character', JSON.stringify({run_id: 'a\0b'})],
  ] as const) {
    it(`answers 422 to ${title} as a notice, and keeps nothing`, async () => {
      const before = await runs('/workflows/one-1.0.0/runs')
      const options = {method: 'POST', headers: {'content-type': 'application/json'}, body}
      const answer = await call(server, '/workflows/one-1.0.0/runs/notify', options)
      expect(answer.status).to.equal(422)
      expect(answer.body.detail).to.be.an('array')
      expect(JSON.stringify(answer.body)).to.not.contain('admin')
      expect(await runs('/workflows/one-1.0.0/runs')).to.deep.equal(before)
    })
  }

  it('takes notices only from who may publish', async () => {
    const path = '/workflows/one-1.0.0/runs/notify'
    expect((await call(server, path, {method: 'POST', json: {}, token: null})).status).to.equal(401)
    expect((await call(server, path, {method: 'POST', json: {}, token: TOKENS.reader})).status).to.equal(403)
  })
})
