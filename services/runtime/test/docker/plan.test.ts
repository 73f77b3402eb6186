import {mkdtempSync, rmSync} from 'node:fs'
import {createServer} from 'node:net'
import {once} from 'node:events'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {findEndpoint} from '../../src/docker/endpoint.ts'
import {fillImage} from '../../src/docker/reference.ts'
import {fillWords} from '../../src/handlers/command-words.ts'
import {DockerHandler} from '../../src/handlers/docker.ts'
import type {Plan} from '../../src/handlers/handler.ts'
import type {HandlerSpec} from '../../src/program.ts'
import {DIGEST, EngineDouble, hangUp, json, type Faults} from '../support/docker/double.ts'

describe('where a container engine is looked for', () => {
  let directory: string
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'endpoint-'))
  })
  after(() => rmSync(directory, {recursive: true}))

  for (const [text, endpoint] of [
    ['unix:///run/engine.sock', {socketPath: '/run/engine.sock'}],
    ['tcp://127.0.0.1:2375', {origin: 'http://127.0.0.1:2375'}],
    ['tcp://localhost:2375', {origin: 'http://localhost:2375'}],
    ['tcp://[::1]:2375', {origin: 'http://[::1]:2375'}],
  ] as const)
    it(`DOCKER_HOST=${text}`, () => {
      expect(findEndpoint({DOCKER_HOST: text}, [])).to.deep.equal(endpoint)
    })

  for (const text of [
    'tcp://10.0.0.1:2375',
    'tcp://127.0.0.1.evil.example:2375',
    'tcp://user:pass@127.0.0.1:2375',
    'tcp://127.0.0.1:2375/path',
    'ssh://host',
    'unix://relative.sock',
    'https://127.0.0.1:2376',
    'nonsense',
  ])
    it(`not at DOCKER_HOST=${text}, and says what would do`, () => {
      const found = findEndpoint({DOCKER_HOST: text}, [])
      expect('problem' in found && found.problem).to.contain('unix:///PATH nor tcp://127.0.0.1:PORT')
      expect(JSON.stringify(found)).to.not.contain('pass')
    })

  it("at the first socket that is there, the user's Podman last", async () => {
    const [first, second] = [join(directory, 'first.sock'), join(directory, 'second.sock')]
    const server = createServer().listen(second)
    await once(server, 'listening')
    try {
      expect(findEndpoint({}, [first, second])).to.deep.equal({socketPath: second})
    } finally {
      server.close()
    }
    const none = findEndpoint({XDG_RUNTIME_DIR: directory}, [first])
    expect('problem' in none && none.problem).to.contain(`no socket at ${first} or ${directory}/podman/podman.sock`)
  })
})

describe('what values may say', () => {
  for (const [text, value, filled] of [
    ['app:${V}', '1.2', 'app:1.2'],
    ['reg:5000/team/${V}:1', 'app', 'reg:5000/team/app:1'],
    ['${V}', 'other.example/app@sha256:' + 'a'.repeat(64), 'other.example/app@sha256:' + 'a'.repeat(64)],
  ] as const)
    it(`in the image ${text}: ${value.slice(0, 30)}`, () => expect(fillImage(text, {v: value})).to.equal(filled))

  for (const [text, value] of [
    ['app:${V}', '1@sha256:' + 'a'.repeat(64)],
    ['${V}/app:1', 'evil.example/x'],
    ['app:${V}', ''],
    ['${V}', '../containers/x'],
    ['${V}', 'a/../../containers/x'],
    ['${V}', 'app?x=1'],
    ['${V}', 'app 1'],
    ['${V}', 'a'.repeat(50_000) + '!'],
  ] as const)
    it(`not in the image ${text}: ${value.slice(0, 30)}`, () =>
      expect(() => fillImage(text, {v: value})).to.throw(/make no image reference/))

  it('in words, each staying one, but not in a script', () => {
    const values = {name: 'a; b $(c)'}
    expect(fillWords(['echo', '-n', '${NAME}'], values)).to.deep.equal(['echo', '-n', 'a; b $(c)'])
    for (const words of [
      ['sh', '-c', 'echo ${NAME}'],
      ['/bin/bash', '-euxc', 'echo ${NAME}'],
      ['env', 'A=1', 'dash', '-c', '${NAME}'],
    ])
      expect(fillWords(words, values)).to.deep.equal(words)
  })
})

describe('the plan of a docker handler', () => {
  let engine: EngineDouble
  before(async () => {
    engine = await EngineDouble.start()
  })
  after(() => engine.stop())

  async function plan(faults: Faults, config: object = {}, environment?: Record<string, string>): Promise<Plan> {
    engine.reset(faults)
    const handler = new DockerHandler({
      environment: environment ?? {DOCKER_HOST: `unix://${engine.socket}`},
      sockets: [],
      killGraceMs: 100,
    })
    const spec = {
      name: 'box',
      type: 'docker',
      config: {image: 'app:1', command: 'true', ...config},
    } as unknown as HandlerSpec
    const scope = {executionId: 'e-1', parameters: {name: 'Ada'}, outputs: {}}
    return handler.plan(spec, scope, {signal: new AbortController().signal, earlier: []})
  }
  const missing: Faults = {'GET /images/app:1/json': json(404, {message: 'no such image'})}
  const registry: Faults = {'GET /distribution/app:1/json': json(200, {Descriptor: {digest: DIGEST}})}

  it('names the digest of the image that is there, and changes nothing', async () => {
    const {outcome, lines} = await plan({})
    expect([outcome, lines[0]]).to.deep.equal(['ready', `would run app:1: ${DIGEST}`])
    expect(engine.calls.filter((call) => !call.startsWith('GET '))).to.deep.equal([])
  })

  it('asks the registry, through the engine, for what would be pulled', async () => {
    const {outcome, lines} = await plan({...missing, ...registry})
    expect([outcome, lines[0]]).to.deep.equal(['ready', `would run app:1: ${DIGEST}, which would be pulled`])
    expect((await plan(registry, {pull: 'always'})).lines[0]).to.contain('which would be pulled')
  })

  it('is UNKNOWN when nobody can say what a pull would bring', async () => {
    for (const [faults, config] of [
      [missing, {}],
      [{}, {pull: 'always'}],
    ] as const) {
      const {outcome, lines} = await plan(faults, config)
      expect(outcome).to.equal('unknown')
      expect(lines[0]).to.contain('UNKNOWN')
    }
  })

  it('is UNKNOWN when there is no engine, or it does not answer, and shows the rest', async () => {
    for (const planned of [await plan({}, {}, {}), await plan({'GET /images/app:1/json': hangUp})]) {
      expect(planned.outcome).to.equal('unknown')
      expect(planned.lines[0]).to.match(/^would run app:1, UNKNOWN: /)
      expect(planned.lines).to.include('with /bin/sh: true')
    }
  })

  it('fails when the image is missing and may not be pulled', async () => {
    const {outcome, lines} = await plan(missing, {pull: 'never'})
    expect([outcome, lines.at(-1)]).to.deep.equal([
      'error',
      'the container engine has no image app:1, and pull is never',
    ])
  })

  it('is UNKNOWN as far as values are missing, in image, words and environment', async () => {
    for (const config of [{image: 'app:${LATER}'}, {command: ['echo', '${LATER}']}, {env: {A: '${LATER}'}}]) {
      const {outcome, lines} = await plan({}, config)
      expect(outcome, JSON.stringify(config)).to.equal('unknown')
      expect(lines.join('\n')).to.contain('UNKNOWN')
    }
  })

  it('is UNKNOWN for what would be refused', async () => {
    const {outcome, lines} = await plan({}, {privileged: true})
    expect([outcome, lines[0]]).to.deep.equal([
      'unknown',
      'UNKNOWN: a privileged container owns the host; this runtime would refuse to run it',
    ])
  })

  it('never shows values of the environment', async () => {
    const {lines} = await plan({}, {env: {TOKEN: 'Bearer ${NAME}'}})
    expect(lines.join('\n')).to.contain('TOKEN').and.to.not.contain('Bearer').and.to.not.contain('Ada')
  })
})
