import {expect} from 'chai'
import nock from 'nock'
import type {ExecutionEvent} from '@atomctl/protocol/runtime'
import {type Clock, createHttpClient, type HttpOptions, type Target} from '@atomctl/sdk/http'
import {createRuntimeClient, type RuntimeClient} from '@atomctl/sdk/runtime'
import {
  type AtomDouble,
  type AtomDoubleOptions,
  type Behaviour,
  type FaultServer,
  hang,
  hangUp,
  refusedUrl,
  reply,
  reset,
  startAtomDouble,
  startFaultServer,
  truncate,
} from '@atomctl/sdk/testing'
import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {codeOf, failed, testOptions} from '../http/support.ts'
import {type PackageFields, verifiedPackage} from '../registry/support.ts'

const URL_OF_NOCK = 'http://runtime.test'
const ORIGINAL = reply(404, {detail: 'Not Found'})
const STARTED = reply(200, {execution_id: 'e-1', status: 'started'})

/** A clock that jumps instead of waiting. */
function jumpingClock(): Clock & {slept: number[]} {
  let now = Date.UTC(2026, 0, 1)
  const slept: number[] = []
  return {
    slept,
    now: () => now,
    sleep: async (milliseconds, signal) => {
      signal?.throwIfAborted()
      // Lets timers and sockets of this process have their turn.
      await new Promise((resolve) => setImmediate(resolve))
      slept.push(milliseconds)
      now += milliseconds
    },
  }
}

describe('runtime client', () => {
  const closing: {close(): Promise<void>}[] = []
  const client = (target: Target, clock: Clock = jumpingClock(), options: Partial<HttpOptions> = {}): RuntimeClient => {
    const http = createHttpClient({...testOptions(options), clock})
    closing.push(http)
    return createRuntimeClient({http, target, clock})
  }
  const startDouble = async (
    options: AtomDoubleOptions = {},
  ): Promise<{double: AtomDouble; runtime: RuntimeClient}> => {
    const double = await startAtomDouble({stepTime: 2, ...options})
    closing.push(double)
    return {double, runtime: client({baseUrl: double.runtimeUrl})}
  }
  const startServer = async (...script: Behaviour[]): Promise<FaultServer> => {
    const server = await startFaultServer(...script)
    closing.push(server)
    return server
  }
  const ours = (clock?: Clock): RuntimeClient => client({baseUrl: URL_OF_NOCK}, clock)
  const announced = (...capabilities: string[]): Behaviour =>
    reply(200, {service: 'runtime', version: '1.0.0', protocol: '1', capabilities})
  const announce = (...capabilities: string[]): void => {
    nock(URL_OF_NOCK)
      .get('/.well-known/atom')
      .reply(200, {service: 'runtime', version: '1.0.0', protocol: '1', capabilities})
  }
  const start = async (runtime: RuntimeClient, fields: PackageFields = {}): Promise<string> =>
    (await runtime.execute(verifiedPackage(fields), {workflowId: 'demo-1.0.0'})).executionId

  afterEach(async () => {
    await Promise.all(closing.splice(0).map((one) => one.close()))
    expect(nock.pendingMocks()).to.deep.equal([])
    nock.cleanAll()
  })

  describe('execute', () => {
    it('passes the text of the content on unchanged', async () => {
      const {double, runtime} = await startDouble()
      const verified = verifiedPackage()
      const contentText = JSON.stringify(verified.document.value).replace('"spec":{', '"spec": {  ')
      const {executionId} = await runtime.execute(verified, {
        workflowId: 'demo-1.0.0',
        contentText,
        parameters: {replicas: 3},
        dryRun: true,
      })
      expect(executionId).to.match(/^[0-9a-f-]{36}$/)
      const body = double.requests.at(-1)?.body.toString() ?? ''
      expect(body).to.include(`"wpk_content":${contentText},`)
      expect(JSON.parse(body)).to.deep.include({workflow_id: 'demo-1.0.0', parameters: {replicas: 3}, dry_run: true})
      expect(double.requests.at(-1)?.headers).not.to.have.property('idempotency-key')
    })

    it('refuses content that is not what was verified', async () => {
      const {double, runtime} = await startDouble()
      const verified = verifiedPackage()
      const text = JSON.stringify(verified.document.value)
      const attempts = [
        text.replace('echo hello', 'rm -rf /'),
        text.replace('"spec":', '"extra":1,"spec":'),
        text.replace('"kind":', '"kind":"x","__proto__":{},"kind":'),
        '{}',
      ]
      for (const contentText of attempts) {
        expect(await codeOf(runtime.execute(verified, {workflowId: 'demo-1.0.0', contentText}))).to.equal(
          'WPK_TAMPERED',
        )
      }
      expect(double.requests).to.have.length(0)
    })

    it('refuses numbers that a signature knows only rounded', async () => {
      const {runtime} = await startDouble()
      for (const number of ['9007199254740993', '123456789012345678901234567890', '1e999']) {
        const contentText = `{"a":${number}}`
        const error = await failed(runtime.execute(verifiedPackage(), {workflowId: 'demo-1.0.0', contentText}))
        expect(error.code).to.equal('WPK_TAMPERED')
        expect(error.message).to.include(number)
      }
    })

    it('refuses what no policy verified', async () => {
      const {document, digest, verification} = verifiedPackage()
      const forged = {document, digest, verification} as unknown as VerifiedDocument
      const {runtime} = await startDouble()
      expect(await codeOf(runtime.execute(forged, {workflowId: 'demo-1.0.0'}))).to.equal('GATE_NOT_RUN')
    })

    for (const [what, fault, code] of [
      ['resets the connection', reset, 'UNAVAILABLE'],
      ['hangs up', hangUp, 'UNAVAILABLE'],
      ['cuts its answer off', truncate('{"execution_id":', 99), 'UNAVAILABLE'],
      ['never answers', hang, 'TIMEOUT'],
      ['answers 503', reply(503, {detail: 'busy'}), 'UNAVAILABLE'],
      ['answers 500', reply(500, 'Internal Server Error'), 'UNAVAILABLE'],
      ['answers with a web page', reply(200, '<html>', {'content-type': 'text/html'}), 'PROTOCOL'],
    ] as const) {
      it(`sends exactly one POST to an original runtime that ${what}`, async () => {
        const server = await startServer(ORIGINAL, fault, STARTED)
        const runtime = client({baseUrl: server.url}, jumpingClock(), {requestTimeout: 80})
        expect(await codeOf(start(runtime))).to.equal(code)
        expect(server.requests.filter(({method}) => method === 'POST')).to.have.length(1)
      })
    }

    it('says that the execution may have started when the answer is lost', async () => {
      const server = await startServer(ORIGINAL, reset)
      expect((await failed(start(client({baseUrl: server.url})))).message).to.include('may have started')
    })

    it('does not say so when the runtime refused it or could not be reached', async () => {
      const server = await startServer(ORIGINAL, reply(503, {detail: 'busy'}))
      expect((await failed(start(client({baseUrl: server.url})))).message).not.to.include('may have')
      expect((await failed(start(client({baseUrl: await refusedUrl()})))).message).to.equal(
        'Network error: Connection refused',
      )
    })

    it('repeats with the same key where the runtime understands it', async () => {
      const server = await startServer(announced('idempotency-key'), reset, reply(503), STARTED)
      expect(await start(client({baseUrl: server.url}))).to.equal('e-1')
      const keys = server.requests.slice(1).map(({headers}) => headers['idempotency-key'])
      expect(keys).to.have.length(3)
      expect(new Set(keys).size).to.equal(1)
      expect(keys[0]).to.match(/^[0-9a-f-]{36}$/)
    })

    it('uses the key it is given', async () => {
      announce('idempotency-key')
      nock(URL_OF_NOCK, {reqheaders: {'idempotency-key': 'mine'}})
        .post('/execute')
        .reply(409, {detail: 'another body under this key', code: 'CONFLICT'})
      const request = {workflowId: 'demo-1.0.0', idempotencyKey: 'mine'}
      expect(await codeOf(ours().execute(verifiedPackage(), request))).to.equal('CONFLICT')
    })

    it('explains a 422 whatever the framework', async () => {
      for (const version of ['measured', 'pinned', 'current'] as const) {
        const {double} = await startDouble({version})
        const runtime = client({baseUrl: double.runtimeUrl})
        const parameters = [] as unknown as Record<string, never>
        const error = await failed(
          runtime.execute(verifiedPackage(), {workflowId: 'x', parameters: Object.assign(parameters, ['a'])}),
        )
        expect(error.code).to.equal('REQUEST_REJECTED')
        expect(error.details?.['detail']).to.match(/^body\.parameters: /)
      }
    })

    it('does not run a package with files where they cannot be fetched', async () => {
      const {runtime} = await startDouble()
      const request = {workflowId: 'demo-1.0.0', packageFiles: true}
      expect(await codeOf(runtime.execute(verifiedPackage(), request))).to.equal('NOT_SUPPORTED')
    })
  })

  describe('status', () => {
    it('reads what the original answers, absent keys included', async () => {
      nock(URL_OF_NOCK).get('/execute/e-1').reply(200, {execution_id: 'e-1', status: 'running', steps_completed: 1})
      expect(await ours().status('e-1')).to.deep.equal({execution_id: 'e-1', status: 'running', steps_completed: 1})
    })

    it('is NOT_FOUND for an unknown execution, and refuses another one than asked for', async () => {
      const {runtime} = await startDouble()
      expect(await codeOf(runtime.status('none'))).to.equal('NOT_FOUND')
      nock(URL_OF_NOCK).get('/execute/e-1').reply(200, {execution_id: 'e-2', status: 'completed'})
      expect(await codeOf(ours().status('e-1'))).to.equal('PROTOCOL')
    })

    it('never reaches another endpoint', async () => {
      const {double, runtime} = await startDouble()
      for (const id of ['../health', '..', '', 'a/b']) {
        expect(await codeOf(Promise.resolve().then(() => runtime.status(id)))).to.equal('USAGE')
      }
      expect(double.requests).to.have.length(0)
    })
  })

  describe('follow, without an event stream', () => {
    const statuses = (events: ExecutionEvent[]): string[] =>
      events.flatMap((event) => (event.type === 'status' ? [event.execution.status] : []))
    const lines = (events: ExecutionEvent[]): string[] =>
      events.flatMap((event) => (event.type === 'log' ? [event.log.text] : []))
    const THREE =
      '[{name: a, type: shell, config: {command: x}}, {name: b, type: shell, config: {command: x}}, {name: c, type: shell, config: {command: x}}]'
    const UNKNOWN = '[{name: a, type: k8s, config: {action: get}}]'

    it('reports steps and log lines once each, and the final status last', async () => {
      const {runtime} = await startDouble()
      const events = await Array.fromAsync(runtime.follow(await start(runtime, {handlers: THREE})))
      expect(lines(events)).to.deep.equal(['Handler a: success', 'Handler b: success', 'Handler c: success'])
      expect(statuses(events).at(-1)).to.equal('completed')
      expect(events.at(-1)?.type).to.equal('status')
      expect(new Set(events.map(({id}) => id)).size).to.equal(events.length)
    })

    it('asks on one connection, ever less often', async () => {
      const states = Array.from({length: 12}, () => reply(200, {execution_id: 'e-1', status: 'running'}))
      const server = await startServer(ORIGINAL, ...states, reply(200, {execution_id: 'e-1', status: 'completed'}))
      const clock = jumpingClock()
      await Array.fromAsync(client({baseUrl: server.url}, clock).follow('e-1'))
      expect(server.connections()).to.equal(1)
      expect(clock.slept[0]).to.equal(100)
      expect(clock.slept.at(-1)).to.equal(1500)
    })

    it('reports a failure, asked about twice because a rollback may follow', async () => {
      const {runtime, double} = await startDouble()
      const events = await Array.fromAsync(runtime.follow(await start(runtime, {handlers: UNKNOWN})))
      expect(statuses(events)).to.deep.equal(['failed'])
      expect(double.requests.filter(({url}) => url.startsWith('/execute/'))).to.have.length(2)
    })

    it('asks once when there is no rollback', async () => {
      const {runtime, double} = await startDouble()
      const id = await start(runtime, {handlers: UNKNOWN})
      await Array.fromAsync(runtime.follow(id, {rollbackPossible: false}))
      expect(double.requests.filter(({url}) => url.startsWith('/execute/'))).to.have.length(1)
    })

    it('sees a rollback that begins after the failure', async () => {
      const server = await startServer(
        ORIGINAL,
        reply(200, {execution_id: 'e-1', status: 'failed', logs: ['x']}),
        reply(200, {execution_id: 'e-1', status: 'rolled_back', logs: ['x', 'y']}),
      )
      const events = await Array.fromAsync(client({baseUrl: server.url}).follow('e-1'))
      expect(statuses(events)).to.deep.equal(['rolled_back'])
      expect(lines(events)).to.deep.equal(['x', 'y'])
    })

    it('reports a rollback of the original', async () => {
      const {runtime} = await startDouble()
      const rollback = '{enabled: true, handlers: [{name: undo, type: shell, config: {command: x}}]}'
      const events = await Array.fromAsync(runtime.follow(await start(runtime, {handlers: UNKNOWN, rollback})))
      expect(statuses(events)).to.deep.equal(['rolled_back'])
      expect(lines(events).at(-1)).to.equal('Rollback completed')
    })

    it('sits out a runtime that is away for a while', async () => {
      const server = await startServer(
        ORIGINAL,
        reset,
        reply(502),
        reply(500, 'Internal Server Error'),
        hangUp,
        reply(404, {detail: 'Execution not found'}),
        reply(404, {detail: 'Execution not found'}),
        reply(200, {execution_id: 'e-1', status: 'completed'}),
      )
      expect(statuses(await Array.fromAsync(client({baseUrl: server.url}).follow('e-1')))).to.deep.equal(['completed'])
    })

    it('gives up after a minute without an answer', async () => {
      const server = await startServer(ORIGINAL, reply(503))
      const clock = jumpingClock()
      expect(await codeOf(Array.fromAsync(client({baseUrl: server.url}, clock).follow('e-1')))).to.equal('UNAVAILABLE')
      const waited = clock.slept.reduce((sum, time) => sum + time, 0)
      expect(waited).to.be.within(60_000, 65_000)
    })

    it('gives up on an execution that is not found five times in a row', async () => {
      const {runtime, double} = await startDouble()
      const error = await failed(Array.fromAsync(runtime.follow('gone')))
      expect(error.code).to.equal('NOT_FOUND')
      expect(error.hint).to.include('restarts')
      expect(double.requests.filter(({url}) => url === '/execute/gone')).to.have.length(5)
    })

    it('does not put up with a refused token or another protocol', async () => {
      for (const [answer, code] of [
        [reply(401, {detail: 'no'}), 'NOT_AUTHENTICATED'],
        [reply(200, {id: 7}), 'PROTOCOL'],
        [reply(404, {detail: 'Not Found'}), 'ENDPOINT_NOT_FOUND'],
      ] as const) {
        const server = await startServer(ORIGINAL, answer)
        expect(await codeOf(Array.fromAsync(client({baseUrl: server.url}).follow('e-1')))).to.equal(code)
      }
    })

    it('takes an execution that stays pending for a malformed package', async () => {
      const server = await startServer(ORIGINAL, reply(200, {execution_id: 'e-1', status: 'pending'}))
      const error = await failed(Array.fromAsync(client({baseUrl: server.url}).follow('e-1')))
      expect(error.code).to.equal('EXECUTION_FAILED')
      expect(error.hint).to.include('atomctl validate')
    })

    it('lets an execution wait in the queue of a runtime that has one', async () => {
      const pending = Array.from({length: 20}, () => [
        reply(200, {execution_id: 'e-1', status: 'pending'}),
        reply(200, {execution_id: 'e-1', logs: [], entries: []}),
      ])
      const done = [
        reply(200, {execution_id: 'e-1', status: 'completed'}),
        reply(200, {execution_id: 'e-1', logs: [], entries: []}),
      ]
      const server = await startServer(announced(), ...pending.flat(), ...done)
      const events = await Array.fromAsync(client({baseUrl: server.url}).follow('e-1'))
      expect(statuses(events)).to.deep.equal(['pending', 'completed'])
    })

    it('ends with WAIT_TIMEOUT at its deadline', async () => {
      const server = await startServer(ORIGINAL, reply(200, {execution_id: 'e-1', status: 'running'}), hang)
      const clock: Clock = {...jumpingClock(), now: () => 1000}
      const error = await failed(Array.fromAsync(client({baseUrl: server.url}, clock).follow('e-1', {deadline: 1100})))
      expect(error.code).to.equal('WAIT_TIMEOUT')
      expect(error.hint).to.equal('atomctl status e-1 --watch')
    })

    it('ends at its deadline even when discovery hangs', async () => {
      const server = await startServer(hang)
      const clock: Clock = {...jumpingClock(), now: () => 1000}
      const following = client({baseUrl: server.url}, clock).follow('e-1', {deadline: 1050})
      expect(await codeOf(Array.fromAsync(following))).to.equal('WAIT_TIMEOUT')
    })

    it('ends at once when aborted, while asking or while waiting', async () => {
      for (const script of [
        [ORIGINAL, hang],
        [ORIGINAL, reply(200, {execution_id: 'e-1', status: 'running'})],
      ]) {
        const server = await startServer(...script)
        const controller = new AbortController()
        const following = Array.fromAsync(client({baseUrl: server.url}).follow('e-1', {signal: controller.signal}))
        await server.received(2)
        controller.abort()
        expect(await codeOf(following)).to.equal('INTERRUPTED')
      }
    })
  })

  describe('follow, by event stream', () => {
    const status = (value: string, id: string): string =>
      `id: ${id}\nevent: status\ndata: {"type":"status","id":"${id}","execution":{"execution_id":"e-1","status":"${value}"}}\n\n`
    const log = (seq: number): string =>
      `id: l${seq}\r\nevent: log\r\ndata: {"type":"log","log":\r\ndata: {"seq":${seq},"time":"2026-01-01T00:00:00Z","step":"a","stream":"stdout","text":"line ${seq}"}}\r\n\r\n`
    const stream = (text: string): Behaviour => reply(200, text, {'content-type': 'text/event-stream; charset=utf-8'})
    const follow = async (...script: Behaviour[]): Promise<{events: ExecutionEvent[]; server: FaultServer}> => {
      const server = await startServer(announced('events'), ...script)
      return {events: await Array.fromAsync(client({baseUrl: server.url}).follow('e-1')), server}
    }
    const seen = (events: ExecutionEvent[]): string[] =>
      events.map((event) =>
        event.type === 'log' ? event.log.text : event.type === 'status' ? event.execution.status : 'step',
      )

    it('reports the events as they come and ends after the final status', async () => {
      const {events, server} = await follow(
        stream(`\uFEFF: hello\nretry: 50\n\n${status('running', '1')}${log(1)}${status('completed', '2')}`),
      )
      expect(seen(events)).to.deep.equal(['running', 'line 1', 'completed'])
      expect(server.requests).to.have.length(2)
      expect(server.requests[1]?.headers['accept']).to.equal('text/event-stream')
    })

    it('goes on after the last event it has seen when the stream breaks', async () => {
      const {events, server} = await follow(
        stream(`${status('running', '1')}${log(1)}id: l2\nevent: log\ndata: {"type":"lo`),
        reset,
        reply(503),
        stream(`${log(1)}${log(2)}${status('completed', '9')}`),
      )
      expect(seen(events)).to.deep.equal(['running', 'line 1', 'line 2', 'completed'])
      const resumed = server.requests.slice(2).map(({headers}) => headers['last-event-id'])
      expect(resumed).to.deep.equal(['l1', 'l1', 'l1'])
    })

    it('skips types of events it does not know', async () => {
      const {events} = await follow(stream(`event: weather\ndata: {"sun":true}\n\n${status('completed', '2')}`))
      expect(seen(events)).to.deep.equal(['completed'])
    })

    it('polls when the stream stays empty, without repeating log lines', async () => {
      const entry = {time: '2026-01-01T00:00:00Z', step: 'a', stream: 'stdout'}
      const {events, server} = await follow(
        stream(`${status('running', '1')}${log(1)}`),
        stream(''),
        stream(': nothing\n\n'),
        stream(''),
        reply(200, {execution_id: 'e-1', status: 'completed'}),
        reply(200, {
          execution_id: 'e-1',
          logs: [],
          entries: [
            {...entry, seq: 1, text: 'line 1'},
            {...entry, seq: 2, text: 'line 2'},
          ],
        }),
      )
      expect(seen(events)).to.deep.equal(['running', 'line 1', 'line 2', 'completed'])
      expect(server.requests.at(-1)?.url).to.equal('/logs/e-1?after=1')
    })

    it('polls at once when a proxy makes a web page of the stream', async () => {
      const {events} = await follow(
        reply(200, '<html>', {'content-type': 'text/html'}),
        reply(200, {execution_id: 'e-1', status: 'failed'}),
        reply(200, {execution_id: 'e-1', status: 'failed'}),
        reply(200, {execution_id: 'e-1', logs: [], entries: []}),
      )
      expect(seen(events)).to.deep.equal(['failed'])
    })

    it('is PROTOCOL when an event is not as the protocol says', async () => {
      for (const bad of [
        'event: status\ndata: {"type":"status"}\n\n',
        'event: log\ndata: not json\n\n',
        'event: step\ndata: 7\n\n',
      ]) {
        expect(await codeOf(follow(stream(bad)))).to.equal('PROTOCOL')
      }
    })

    it('is PROTOCOL when an event never ends', async () => {
      expect(await codeOf(follow(stream(`data: ${'x'.repeat(5 * 1024 * 1024)}`)))).to.equal('PROTOCOL')
    })

    it('gives up on an execution that is not found', async () => {
      expect(await codeOf(follow(reply(404, {detail: 'Execution not found'})))).to.equal('NOT_FOUND')
    })

    it('ends at once when aborted, and at its deadline', async () => {
      const open: Behaviour = (_request, response) => {
        response.writeHead(200, {'content-type': 'text/event-stream'})
        response.write(status('running', '1'))
      }
      const server = await startServer(announced('events'), open, announced('events'), open)
      const controller = new AbortController()
      const following = client({baseUrl: server.url}).follow('e-1', {signal: controller.signal})
      const reading = (async () => {
        for await (const event of following) if (event.type === 'status') controller.abort()
      })()
      expect(await codeOf(reading)).to.equal('INTERRUPTED')
      const clock: Clock = {...jumpingClock(), now: () => 0}
      const timed = client({baseUrl: server.url}, clock).follow('e-1', {deadline: 40})
      expect(await codeOf(Array.fromAsync(timed))).to.equal('WAIT_TIMEOUT')
    })
  })

  describe('logs', () => {
    it('numbers the lines of an original runtime', async () => {
      const {runtime} = await startDouble({stepTime: 60_000})
      const id = await start(runtime)
      expect(await runtime.logs(id)).to.deep.equal([
        {seq: 1, step: null, stream: 'system', text: 'Handler hello: success'},
      ])
      expect(await runtime.logs(id, 1)).to.deep.equal([])
    })

    it('asks for what came after', async () => {
      const entry = {seq: 8, time: '2026-01-01T00:00:00Z', step: 'a', stream: 'stderr', text: 'oh'}
      nock(URL_OF_NOCK)
        .get('/logs/e-1')
        .query({after: '7'})
        .reply(200, {execution_id: 'e-1', logs: ['oh'], entries: [entry]})
      expect(await ours().logs('e-1', 7)).to.deep.equal([entry])
    })
  })

  describe('what an original runtime cannot do', () => {
    it('is refused with NOT_SUPPORTED and asked of nobody', async () => {
      const {double, runtime} = await startDouble()
      for (const attempt of [runtime.cancel('e-1'), runtime.rollback('e-1'), runtime.list({})]) {
        const error = await failed(attempt)
        expect(error.code).to.equal('NOT_SUPPORTED')
        expect(error.message).to.include(double.runtimeUrl)
      }
      expect(double.requests.every(({url}) => url === '/.well-known/atom')).to.equal(true)
    })

    it('is done by a runtime that announces it', async () => {
      announce('cancel', 'list-executions')
      const runtime = ours()
      nock(URL_OF_NOCK).post('/execute/e-1/cancel').reply(200, {execution_id: 'e-1', status: 'cancelled'})
      expect((await runtime.cancel('e-1')).status).to.equal('cancelled')
      nock(URL_OF_NOCK).post('/rollback/e-1').reply(200, {message: 'Rollback started', execution_id: 'e-1'})
      await runtime.rollback('e-1')
      nock(URL_OF_NOCK).post('/rollback/e-2').reply(501, {detail: 'no rollback handlers', code: 'NOT_SUPPORTED'})
      expect(await codeOf(runtime.rollback('e-2'))).to.equal('NOT_SUPPORTED')
      const page = {executions: [{execution_id: 'e-1', status: 'running'}], next_cursor: 'more'}
      nock(URL_OF_NOCK).get('/executions').query({status: 'running', limit: '1'}).reply(200, page)
      expect(await runtime.list({status: 'running', limit: 1})).to.deep.equal({
        executions: page.executions,
        truncated: true,
      })
      nock(URL_OF_NOCK).get('/executions').query(true).times(2).reply(200, page)
      expect(await codeOf(runtime.list({}, {all: true}))).to.equal('PROTOCOL')
    })
  })
})
