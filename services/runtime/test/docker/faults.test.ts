import {mkdirSync, mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {DockerHandler} from '../../src/handlers/docker.ts'
import type {HandlerResult, RunContext} from '../../src/handlers/handler.ts'
import type {HandlerSpec} from '../../src/program.ts'
import {
  breakOff,
  EngineDouble,
  frame,
  gone,
  hang,
  hangUp,
  ID,
  IMAGE_ID,
  json,
  state,
  type Answer,
  type Faults,
} from '../support/docker/double.ts'
import {NO_SECRETS} from '../../src/secrets/step.ts'

const TEN = Array.from({length: 10}, (_item, index) => `line ${index}\n`).join('')

function specOf(config: object = {}): HandlerSpec {
  return {
    name: 'box',
    type: 'docker',
    config: {image: 'app:1', command: 'true', ...config},
    timeoutMs: undefined,
    maxAttempts: 1,
    backoffMs: 0,
    when: undefined,
    outputs: undefined,
    undoes: undefined,
  }
}

describe('a docker handler whose engine misbehaves', function () {
  this.timeout(30_000)
  let engine: EngineDouble
  let directory: string
  let log: string[]
  before(async () => {
    engine = await EngineDouble.start()
    directory = mkdtempSync(join(tmpdir(), 'docker-faults-'))
    mkdirSync(join(directory, 'package'))
  })
  after(async () => {
    await engine.stop()
    rmSync(directory, {recursive: true})
  })

  async function run(faults: Faults, config: object = {}, more: Partial<RunContext> = {}): Promise<HandlerResult> {
    engine.reset(faults)
    log = []
    const handler = new DockerHandler({environment: {DOCKER_HOST: `unix://${engine.socket}`}, killGraceMs: 100})
    return handler.run(specOf(config), {
      scope: {executionId: 'e-1', parameters: {name: 'Ada'}, outputs: {}},
      signal: new AbortController().signal,
      timeoutMs: 20_000,
      idempotencyKey: 'e-1/handler/0',
      recovered: false,
      directory: join(directory, 'package'),
      secrets: NO_SECRETS,
      log: (stream, text) => void log.push(`${stream}: ${text}`),
      ...more,
    })
  }

  const removed = (): boolean => engine.calls.some((call) => call.startsWith('DELETE /containers/ID'))
  const count = (part: string): number => engine.calls.filter((call) => call.includes(part)).length

  it('is told by a sound one what it says', async () => {
    const result = await run({})
    expect(result).to.include({status: 'success', exitCode: 0, output: 'hello\n'})
    expect(log).to.include('stdout: hello')
    expect(removed()).to.equal(true)
    const body = JSON.parse(engine.bodies.find((text) => text.includes('HostConfig')) ?? '{}')
    expect(body.Image).to.equal(IMAGE_ID)
    expect(body.Env).to.include('NAME=Ada').and.to.include('ATOM_IDEMPOTENCY_KEY=e-1/handler/0')
    expect(body.HostConfig).to.deep.include({NetworkMode: 'none', SecurityOpt: ['no-new-privileges']})
    expect(body.HostConfig).to.not.have.any.keys('Privileged', 'Binds', 'CapAdd')
  })

  it('passes limits on in bytes and billionths of a CPU', async () => {
    await run({}, {limits: {cpu: '500m', memory: '64Mi'}})
    const body = JSON.parse(engine.bodies.find((text) => text.includes('HostConfig')) ?? '{}')
    expect(body.HostConfig).to.include({Memory: 67108864, NanoCpus: 500_000_000})
  })

  it('says so when a container was killed for its memory', async () => {
    const result = await run({'GET /containers/ID/json': json(200, state({ExitCode: 137, OOMKilled: true}))})
    expect(result.error).to.match(/out of memory/)
    expect(result.exitCode).to.equal(137)
  })

  for (const [what, route] of [
    ['listing', 'GET /containers/json'],
    ['looking for the image', 'GET /images/app:1/json'],
    ['making the container', 'POST /containers/create'],
    ['starting it', 'POST /start'],
    ['waiting for it', 'POST /wait'],
  ] as const) {
    it(`ends at its timeout when the engine hangs while ${what}`, async () => {
      const running: Faults = route === 'POST /wait' ? {'GET /logs': hang} : {}
      const started = performance.now()
      const result = await run({...running, [route]: hang}, {}, {timeoutMs: 300})
      expect(result).to.include({status: 'error', error: 'timed out after 300 ms'})
      expect(performance.now() - started).to.be.greaterThan(295)
    })

    it(`ends when it is stopped while the engine hangs at ${what}`, async () => {
      const stopping = new AbortController()
      const hanging: Answer = () => setImmediate(() => stopping.abort())
      const running: Faults = route === 'POST /wait' ? {'GET /logs': hang} : {}
      const result = await run({...running, [route]: hanging}, {}, {signal: stopping.signal})
      expect(result).to.include({status: 'error', error: 'stopped'})
    })
  }

  for (const [what, fault] of [
    ['hangs up', hangUp],
    ['breaks off in the middle of an answer', breakOff],
  ] as const)
    for (const route of ['GET /containers/json', 'GET /images/app:1/json', 'POST /containers/create', 'POST /start'])
      it(`fails, naming the engine, when it ${what} at ${route}`, async () => {
        const result = await run({[route]: fault})
        expect(result.status).to.equal('error')
        expect(result.error).to.match(/^cannot speak to the container engine at \S+engine\.sock: /)
      })

  for (const [what, fault, message] of [
    ['no JSON', (_: unknown, response) => void response.end('<html>'), /with no JSON/],
    ['no id', json(201, {}), /did not say which/],
    ['an id that is a path', json(201, {Id: '../../images/app'}), /did not say which/],
    ['an endless answer', endless, /more than 4 MiB/],
    ['a reason of several lines', json(500, {message: 'one\n\u001b[31mtwo'}), /^one \[31mtwo \(500\)$/],
    ['no reason', (_: unknown, response) => void response.writeHead(500).end(), /^no reason given \(500\)$/],
    ['a name that is taken', json(409, {message: 'the name is in use'}), /the name is in use \(409\)/],
  ] as [string, Answer, RegExp][])
    it(`fails when the container is made with ${what}`, async () => {
      const result = await run({'POST /containers/create': fault})
      expect(result.error).to.match(message)
    })

  it('removes by its name a container that was made although the answer never came', async () => {
    await run({'POST /containers/create': hangUp, 'DELETE /atomctl-e-1-handler-0': gone})
    expect(count('DELETE /containers/atomctl-e-1-handler-0')).to.equal(1)
  })

  it("does not touch another's container under its name", async () => {
    await run({'POST /containers/create': json(409, {message: 'taken'})})
    expect(count('DELETE')).to.equal(0)
  })

  it('takes the exit code from the record when the engine hangs up on everybody who waits', async () => {
    const result = await run({'POST /wait': hangUp, 'GET /containers/ID/json': json(200, state({ExitCode: 7}))})
    expect(result).to.include({error: 'exit code 7', exitCode: 7})
  })

  it('takes the exit code from the record when the engine never says that it ended', async () => {
    const result = await run({'POST /wait': hang})
    expect(result.status).to.equal('success')
  })

  it('does not believe an end that the record denies', async () => {
    const result = await run({'GET /containers/ID/json': json(200, state({Status: 'running', Running: true}))})
    expect(result.error).to.equal('the container engine says it ended and runs')
    expect(removed()).to.equal(true)
  })

  it('does not believe an exit code that is none', async () => {
    for (const code of ['0', null, 0.5, undefined]) {
      const result = await run({'GET /containers/ID/json': json(200, state({ExitCode: code}))}, {}, {timeoutMs: 500})
      expect(result.status, String(code)).to.equal('error')
    }
  })

  it('fails when somebody else removed its container', async () => {
    const result = await run({'GET /containers/ID/json': json(404, {message: 'no such container'})})
    expect(result.error).to.equal('no such container (404)')
  })

  it('reads the log again after it broke, and repeats nothing', async () => {
    const whole = Buffer.concat([frame(1, TEN), frame(2, 'error\n')])
    let reads = 0
    const result = await run({
      'GET /logs': (request, response) => {
        reads += 1
        if (reads > 2) return void response.end(whole)
        response.writeHead(200)
        response.write(whole.subarray(0, 8 + 20 * reads), () => request.socket.destroy())
      },
    })
    expect(result.output).to.equal(`${TEN}error\n`)
    expect(log.filter((line) => line.startsWith('stdout'))).to.have.length(10)
    expect(reads).to.equal(3)
  })

  it('succeeds when the log cannot be read, and says that it may lack something', async () => {
    const result = await run({'GET /logs': hangUp, 'POST /wait': json(200, {StatusCode: 0})})
    expect(result.status).to.equal('success')
    expect(log.join('\n')).to.contain('the log may lack something')
  })

  it('waits no longer for a log that does not end than it takes to read it', async () => {
    const result = await run({'GET /logs': (_request, response) => void response.write(frame(1, 'early\n'))})
    expect(result).to.include({status: 'success', output: 'early\n'})
  })

  for (const [what, bytes] of [
    ['no frames', Buffer.from('plain text without any frames\n')],
    ['a stream that does not exist', frame(9, 'x')],
    ['header bytes that are not zero', Buffer.from([1, 1, 0, 0, 0, 0, 0, 1, 65])],
  ] as const)
    it(`keeps what came before ${what} in the log`, async () => {
      const result = await run({
        'GET /logs': (_request, response) => void response.end(Buffer.concat([frame(1, 'good\n'), bytes])),
      })
      expect(result).to.include({status: 'success', output: 'good\n'})
      expect(log.join('\n')).to.contain('not in frames')
    })

  it('passes on what a frame holds that promises four gigabytes, and says that it ended in the middle', async () => {
    const header = Buffer.from([1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff])
    const result = await run({
      'GET /logs': (_request, response) => void response.end(Buffer.concat([header, Buffer.from('little\n')])),
    })
    expect(result.output).to.equal('little\n')
    expect(log.join('\n')).to.contain('ended in the middle')
  })

  it('reads frames that come byte by byte', async () => {
    const bytes = Buffer.concat([frame(1, 'räksmörgås\n'), frame(2, ''), frame(2, 'err\n')])
    const result = await run({
      'GET /logs': async (_request, response) => {
        response.writeHead(200)
        for (const byte of bytes) await new Promise<void>((resolve) => response.write(Buffer.of(byte), () => resolve()))
        response.end()
      },
    })
    expect(result.output).to.equal('räksmörgås\nerr\n')
    expect(log).to.include('stderr: err')
  })

  it('keeps a bounded part of a huge log, its end included', async () => {
    const block = frame(1, `${'x'.repeat(63)}\n`.repeat(1024))
    const result = await run({
      'GET /logs': async (_request, response) => {
        for (let at = 0; at < 512; at += 1)
          await new Promise<void>((resolve) => void response.write(block, () => resolve()))
        response.end(frame(1, 'the end\n'))
      },
    })
    expect(result.output.length).to.be.lessThan(70_000)
    expect(result.output).to.match(/bytes left out[^]*the end\n$/)
    expect(log.length).to.be.lessThan(20_010)
    expect(log.join('\n')).to.contain('truncated')
  })

  describe('while it pulls', () => {
    const missing = json(404, {message: 'no such image'})
    const pulling = (answer: Answer, then: Answer = missing): Faults => {
      let asked = 0
      return {
        'GET /images/app:1/json': (...call) => ((asked += 1) === 1 ? missing : then)(...call),
        'POST /images/create': answer,
      }
    }
    const lines =
      (...reports: unknown[]): Answer =>
      (_request, response) =>
        void response.end(reports.map((report) => `${JSON.stringify(report)}\n`).join(''))

    it('logs every change once, however often it is told', async () => {
      const ticks = Array.from({length: 500}, (_item, at) => ({id: 'a1', status: 'Downloading', progress: `${at} %`}))
      const result = await run(pulling(lines(...ticks, {id: 'a1', status: 'Pull complete'}), json(200, {Id: IMAGE_ID})))
      expect(result.status).to.equal('success')
      expect(log.filter((line) => line.includes('a1'))).to.deep.equal([
        'system: pull: a1: Downloading',
        'system: pull: a1: Pull complete',
      ])
      expect(engine.calls).to.include('POST /images/create?fromImage=app%3A1')
    })

    it('asks for one tag where none is named', async () => {
      await run({'POST /images/create': lines({status: 'done'})}, {image: 'reg:5000/app', pull: 'always'})
      expect(engine.calls).to.include('POST /images/create?fromImage=reg%3A5000%2Fapp&tag=latest')
    })

    it('fails with the reason in an answer that began as a success', async () => {
      const result = await run(pulling(lines({status: 'Pulling'}, {error: 'manifest unknown'})))
      expect(result.error).to.equal('cannot pull app:1: manifest unknown')
      expect(count('/containers/create')).to.equal(0)
    })

    it('fails when the image is not there afterwards', async () => {
      const result = await run(pulling(lines({status: 'done'})))
      expect(result.error).to.equal('the container engine has no image app:1, although it was pulled')
    })

    for (const [what, answer] of [
      ['hangs up', hangUp],
      ['breaks off', breakOff],
      ['sends a line without end', endless],
    ] as const)
      it(`fails when the engine ${what}`, async () => {
        expect((await run(pulling(answer))).error).to.match(/^cannot pull app:1: /)
      })

    it('ends at its timeout', async () => {
      expect((await run(pulling(hang), {}, {timeoutMs: 200})).error).to.equal('timed out after 200 ms')
    })

    it('does not pull when it must not', async () => {
      const result = await run({'GET /images/app:1/json': missing}, {pull: 'never'})
      expect(result.error).to.equal('the container engine has no image app:1, and pull is never')
      expect(count('/images/create')).to.equal(0)
    })
  })

  describe('that finds containers of others', () => {
    const label = (step: string, expires: number): object => ({
      'io.atomctl.step': step,
      'io.atomctl.expires': String(expires),
    })
    const now = Math.round(Date.now() / 1000)
    const list = (...found: object[]): Faults => ({'GET /containers/json': json(200, found)})

    it('removes that of an earlier attempt before it makes its own', async () => {
      await run({...list({Id: ID, Labels: label('e-1/handler/0', now + 60)})})
      const deletion = engine.calls.findIndex((call) => call.startsWith('DELETE'))
      const creation = engine.calls.findIndex((call) => call.includes('/containers/create'))
      expect(deletion).to.be.greaterThan(-1).and.to.be.lessThan(creation)
      expect(log.join()).to.contain('removing the container of an earlier attempt')
    })

    it('does not begin when that cannot be removed', async () => {
      const result = await run({
        ...list({Id: ID, Labels: label('e-1/handler/0', now + 60)}),
        'DELETE /ID': json(500, {message: 'device busy'}),
      })
      expect(result.error).to.equal('device busy (500)')
      expect(count('/containers/create')).to.equal(0)
    })

    it('removes what nobody waits for any more, and leaves what others run', async () => {
      const [old, young] = ['a'.repeat(64), 'b'.repeat(64)]
      const result = await run({
        ...list(
          {Id: old, Labels: label('e-9/handler/0', now - 3600)},
          {Id: young, Labels: label('e-8/handler/0', now)},
          {Id: 'c'.repeat(64), Labels: null},
          {},
        ),
        [`DELETE /${old}`]: json(500, {message: 'device busy'}),
      })
      expect(result.status).to.equal('success')
      expect([count(`DELETE /containers/${old}`), count(young), count('cccc')]).to.deep.equal([1, 0, 0])
    })
  })

  it('tells the log when a container cannot be removed', async () => {
    const result = await run({'DELETE /ID': json(500, {message: 'device busy'})})
    expect(result.status).to.equal('success')
    expect(log.join('\n')).to.match(/could not be removed \(device busy \(500\)\)/)
  })

  it('stops with the grace, then removes by force', async () => {
    await run({'POST /wait': hang, 'GET /logs': hang}, {}, {timeoutMs: 200})
    const ends = engine.calls.filter((call) => /stop|DELETE/.test(call))
    expect(ends).to.deep.equal(['POST /containers/ID/stop?t=1', 'DELETE /containers/ID?force=true&v=true'])
  })
})

function endless(...[, response]: Parameters<Answer>): void {
  const more = (): void => {
    while (!response.destroyed && response.write('x'.repeat(64 * 1024)));
    if (!response.destroyed) response.once('drain', more)
  }
  more()
}
