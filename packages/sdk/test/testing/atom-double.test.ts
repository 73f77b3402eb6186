import {expect} from 'chai'
import {packageText} from '../registry/support.ts'
import {call, execute, push, useDoubles} from './support.ts'

describe('the double of the original services', () => {
  const start = useDoubles()

  it('answers paths, methods and slashes as Starlette does', async () => {
    const {registryUrl} = await start()
    const notFound = await call(`${registryUrl}/nowhere`)
    expect([notFound.status, notFound.body]).to.deep.equal([404, {detail: 'Not Found'}])
    expect((await call(`${registryUrl}//workflows`)).body).to.deep.equal({detail: 'Not Found'})
    expect((await call(`${registryUrl}/workflows/a%2Fb`)).body).to.deep.equal({detail: 'Not Found'})
    expect((await call(`${registryUrl}/workflows/none`)).body).to.deep.equal({detail: 'Workflow not found'})
    const head = await call(`${registryUrl}/workflows`, {method: 'HEAD'})
    expect(head.status).to.equal(405)
    const redirected = await call(`${registryUrl}/workflows/?tag=a`)
    expect(redirected.status).to.equal(307)
    expect(redirected.headers.get('location')).to.equal(`${registryUrl}/workflows?tag=a`)
  })

  it('registers, lists, returns, overwrites and deletes', async () => {
    const double = await start()
    const pushed = await push(double, packageText())
    expect(pushed.status).to.equal(200)
    expect(pushed.body).to.include({workflow_id: 'demo-1.0.0', status: 'registered'})
    await push(double, packageText({description: 'Another'}))
    const list = await call(`${double.registryUrl}/workflows?tag=demo&limit=0&page=9`)
    expect(list.body.total).to.equal(1)
    expect(list.body.workflows[0]).to.include({description: 'Another', safety_mode: 'manual', runtime_type: 'shell'})
    expect(list.body.workflows[0].registered_at).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/)
    const one = await call(`${double.registryUrl}/workflows/demo-1.0.0`)
    expect(one.body.wpk_content.spec.handlers).to.have.length(1)
    const headers = {authorization: 'Bearer x'}
    expect((await call(`${double.registryUrl}/workflows/demo-1.0.0`, {method: 'DELETE', headers})).status).to.equal(200)
    expect((await call(`${double.registryUrl}/workflows/demo-1.0.0`, {method: 'DELETE', headers})).status).to.equal(404)
  })

  it('filters by tag, runtime and safety mode, and crashes on ?tag= once somebody has null tags', async () => {
    const double = await start()
    await push(double, packageText())
    const total = async (query: string): Promise<unknown> =>
      (await call(`${double.registryUrl}/workflows?${query}`)).body.total
    expect(await total('tag=other')).to.equal(0)
    expect(await total('tag=')).to.equal(1)
    expect(await total('runtime=shell&safety_mode=auto')).to.equal(0)
    await push(double, packageText({name: 'odd'}).replace('tags: ["demo", "test"]', 'tags: null'))
    const crashed = await call(`${double.registryUrl}/workflows?tag=demo`)
    expect([crashed.status, crashed.type, crashed.body]).to.deep.equal([
      500,
      'text/plain; charset=utf-8',
      'Internal Server Error',
    ])
  })

  it('refuses pushes with the texts of the original', async () => {
    const double = await start()
    const detail = async (text: string): Promise<unknown> => (await push(double, text)).body.detail
    expect(await detail('a: [')).to.equal('Invalid YAML format')
    expect(await detail('')).to.equal('Invalid WPK schema')
    expect(await detail('just text')).to.equal('Invalid WPK schema')
    expect(await detail(packageText().replace('name: demo', 'name: Demo'))).to.equal('Invalid WPK schema')
    expect(await detail(packageText({signature: ''}))).to.equal('WPK must be signed with cosign')
    expect(await detail(packageText({signature: ' '}))).to.equal(undefined)
  })

  it('takes a part without a file name for a text field', async () => {
    const {registryUrl} = await start()
    const form = new FormData()
    form.append('file', packageText())
    const reply = await call(`${registryUrl}/workflows`, {
      method: 'POST',
      body: form,
      headers: {authorization: 'Bearer x'},
    })
    expect(reply.status).to.equal(422)
    expect(reply.body.detail[0].loc).to.deep.equal(['body', 'file'])
  })

  it('refuses a re-push and destroys the stored file when a cosign key is configured', async () => {
    const double = await start({refusesSignatures: true})
    const before = {entry: {id: 'demo-1.0.0'}, content: {}}
    double.registry.workflows.set('demo-1.0.0', before)
    expect((await push(double, packageText())).body).to.deep.equal({detail: 'Invalid cosign signature'})
    const after = await call(`${double.registryUrl}/workflows/demo-1.0.0`)
    expect([after.status, after.body]).to.deep.equal([500, {detail: 'WPK file not found'}])
  })

  it('is out of order for everybody after one unquoted date, and calls itself healthy', async () => {
    const double = await start()
    expect((await push(double, packageText({created: '2024-01-15T10:00:00Z'}))).status).to.equal(500)
    expect((await call(`${double.registryUrl}/workflows`)).status).to.equal(500)
    expect((await push(double, packageText({name: 'other'}))).status).to.equal(500)
    expect((await call(`${double.registryUrl}/health`)).body.status).to.equal('healthy')
  })

  const refusals = {
    measured: {
      status: 403,
      challenge: null,
      item: {loc: ['body', 'file'], msg: 'field required', type: 'value_error.missing'},
    },
    pinned: {
      status: 403,
      challenge: null,
      item: {
        type: 'missing',
        loc: ['body', 'file'],
        msg: 'Field required',
        input: null,
        url: 'https://errors.pydantic.dev/2.5/v/missing',
      },
    },
    current: {
      status: 401,
      challenge: 'Bearer',
      item: {type: 'missing', loc: ['body', 'file'], msg: 'Field required', input: null},
    },
  } as const
  for (const version of ['measured', 'pinned', 'current'] as const) {
    it(`refuses like the ${version} framework`, async () => {
      const {registryUrl} = await start({version})
      const {status, challenge, item} = refusals[version]
      const anonymous = await call(`${registryUrl}/workflows/x`, {method: 'DELETE'})
      expect([anonymous.status, anonymous.body]).to.deep.equal([status, {detail: 'Not authenticated'}])
      expect(anonymous.headers.get('www-authenticate')).to.equal(challenge)
      const headers = {authorization: 'bearer x', 'content-type': 'application/json'}
      const missing = await call(`${registryUrl}/workflows`, {method: 'POST', body: '{}', headers})
      expect([missing.status, missing.body]).to.deep.equal([422, {detail: [item]}])
    })
  }

  it('names another scheme than bearer', async () => {
    const {registryUrl} = await start()
    const reply = await call(`${registryUrl}/workflows/x`, {method: 'DELETE', headers: {authorization: 'Basic eDp5'}})
    expect([reply.status, reply.body]).to.deep.equal([403, {detail: 'Invalid authentication credentials'}])
  })

  it('echoes the whole body of a request that is not JSON', async () => {
    const double = await start()
    const reply = await execute(double, '{"workflow_id": secret')
    expect(reply.status).to.equal(422)
    expect(reply.body.detail[0].ctx.doc).to.equal('{"workflow_id": secret')
  })

  it('coerces a number to a string only before pydantic 2', async () => {
    const body = {workflow_id: 7, wpk_content: {}}
    expect((await execute(await start(), body)).status).to.equal(200)
    expect((await execute(await start({version: 'pinned'}), body)).status).to.equal(422)
  })

  it('wants JSON for an execution', async () => {
    const double = await start()
    expect((await execute(double, {workflow_id: 'a', wpk_content: {}}, 'text/plain')).status).to.equal(422)
    expect((await execute(double, {workflow_id: 'a'})).body.detail[0].loc).to.deep.equal(['body', 'wpk_content'])
    expect((await execute(double, {workflow_id: 'a', wpk_content: {}, parameters: 'x'})).status).to.equal(422)
    expect((await execute(double, {workflow_id: 'a', wpk_content: {}, dry_run: 'maybe'})).status).to.equal(422)
  })

  it('knows nothing of the extras', async () => {
    const {registryUrl, runtimeUrl} = await start()
    for (const url of [
      `${registryUrl}/.well-known/atom`,
      `${runtimeUrl}/.well-known/atom`,
      `${runtimeUrl}/executions`,
    ]) {
      expect((await call(url)).status).to.equal(404)
    }
  })
})
