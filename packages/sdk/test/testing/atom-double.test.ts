import {expect} from 'chai'
import {type AtomDouble, type AtomDoubleOptions, startAtomDouble} from '@atomctl/sdk/testing'
import {packageText} from '../registry/support.ts'

interface Reply {
  status: number
  type: string | null
  // oxlint-disable-next-line typescript/no-explicit-any -- answers of any shape, looked into by assertions
  body: any
  headers: Headers
}

describe('the double of the original services', () => {
  const doubles: AtomDouble[] = []
  const start = async (options: AtomDoubleOptions = {}): Promise<AtomDouble> => {
    const double = await startAtomDouble({stepTime: 5, ...options})
    doubles.push(double)
    return double
  }
  afterEach(async () => {
    await Promise.all(doubles.splice(0).map((double) => double.close()))
  })

  async function call(url: string, init: RequestInit = {}): Promise<Reply> {
    const response = await fetch(url, {redirect: 'manual', ...init})
    const text = await response.text()
    const type = response.headers.get('content-type')
    return {
      status: response.status,
      type,
      body: type === 'application/json' && text !== '' ? JSON.parse(text) : text,
      headers: response.headers,
    }
  }

  function push(
    double: AtomDouble,
    text: string,
    init: {token?: string | undefined; filename?: string} = {},
  ): Promise<Reply> {
    const form = new FormData()
    form.append('file', new Blob([text]), init.filename ?? 'demo.wpk.yaml')
    const {token = 'anything'} = init
    return call(`${double.registryUrl}/workflows`, {
      method: 'POST',
      body: form,
      headers: {authorization: `Bearer ${token}`},
    })
  }

  function execute(double: AtomDouble, body: unknown, type = 'application/json'): Promise<Reply> {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    return call(`${double.runtimeUrl}/execute`, {method: 'POST', body: text, headers: {'content-type': type}})
  }

  async function settled(double: AtomDouble, id: string): Promise<Reply['body']> {
    for (;;) {
      const {body} = await call(`${double.runtimeUrl}/execute/${id}`)
      if (body.status !== 'running') return body
    }
  }

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

  describe('an execution', () => {
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
