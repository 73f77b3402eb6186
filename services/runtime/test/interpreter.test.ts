import {expect} from 'chai'
import * as fc from 'fast-check'
import {ExecutionStopped, type Durable} from '../src/engine/engine.ts'
import {failure, type Handler, type HandlerResult} from '../src/handlers/handler.ts'
import {Interpreter} from '../src/interpreter.ts'
import type {HandlerSpec, Program} from '../src/program.ts'
import type {Finished, Phase, Progress} from '../src/progress.ts'

class Crash extends Error {}

/** An engine that remembers what steps answered, and dies when it is told to. */
class Records implements Durable {
  readonly executionId = 'e'
  recovered = false
  readonly cancelled = new AbortController().signal
  readonly superseded = this.cancelled
  readonly #results = new Map<string, unknown>()
  /** In milliseconds, as they were asked for. */
  readonly pauses: number[] = []
  /** Steps that may still be recorded before the process dies. */
  left = Infinity

  async step<T>(name: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    if (this.#results.has(name)) return this.#results.get(name) as T
    if (this.left === 0) throw new Crash()
    const result = await work(this.cancelled)
    this.left -= 1
    this.#results.set(name, structuredClone(result))
    return result
  }

  async pause(name: string, milliseconds: number): Promise<void> {
    this.pauses.push(milliseconds)
    await this.step(name, () => Promise.resolve(0))
  }

  get names(): string[] {
    return [...this.#results.keys()]
  }
}

/** Progress as the database keeps it: the same news twice is told once. */
class Told implements Progress {
  readonly lines: string[] = []
  status = 'pending'
  message: string | null = null
  readonly steps = new Map<string, string>()

  log(step: string | null, _stream: string, text: string): void {
    this.lines.push(step === null ? text : `[${step}] ${text}`)
  }
  flush(): Promise<void> {
    return Promise.resolve()
  }
  begin(): Promise<void> {
    if (this.status === 'pending') this.status = 'running'
    return Promise.resolve()
  }
  plan(_phase: Phase, handlers: readonly HandlerSpec[], line: string): Promise<void> {
    if (!this.steps.has('planned')) this.lines.push(line)
    this.steps.set('planned', handlers.map(({name}) => name).join())
    return Promise.resolve()
  }
  startStep(phase: Phase, position: number): Promise<void> {
    const key = `${phase} ${position}`
    if (!this.steps.has(key)) this.steps.set(key, 'running')
    return Promise.resolve()
  }
  finishStep(phase: Phase, position: number, finished: Finished, line?: string): Promise<void> {
    const key = `${phase} ${position}`
    if (!['running', undefined].includes(this.steps.get(key))) return Promise.resolve()
    this.steps.set(key, finished.status)
    if (line !== undefined) this.lines.push(line)
    return Promise.resolve()
  }
  finish(status: string, message: string | null, {line}: {line?: string} = {}): Promise<boolean> {
    if (this.status !== 'running' && this.status !== 'pending') return Promise.resolve(false)
    this.status = status
    this.message = message
    if (line !== undefined) this.lines.push(line)
    return Promise.resolve(true)
  }
}

/** Succeeds from attempt `after` on; every run leaves a trace. */
class Scripted implements Handler {
  readonly type = 'scripted'
  readonly effects: string[] = []
  readonly #tries = new Map<string, number>()

  check(): [] {
    return []
  }
  plan(): {outcome: 'ready'; lines: string[]} {
    return {outcome: 'ready', lines: ['would do it']}
  }
  run(spec: HandlerSpec): Promise<HandlerResult> {
    const tried = (this.#tries.get(spec.name) ?? 0) + 1
    this.#tries.set(spec.name, tried)
    this.effects.push(spec.name)
    if (tried < Number(spec.config['after'] ?? 1)) return Promise.resolve(failure('not yet'))
    const outputs = {[`${spec.name}_out`]: String(tried)}
    return Promise.resolve({...failure(''), status: 'success', error: null, outputs})
  }
}

function step(name: string, more: Partial<HandlerSpec> = {}): HandlerSpec {
  return {
    name,
    type: 'scripted',
    config: {},
    timeoutMs: undefined,
    maxAttempts: 1,
    backoffMs: 10,
    when: undefined,
    outputs: undefined,
    undoes: undefined,
    ...more,
  }
}

const failing = (name: string): HandlerSpec => step(name, {config: {after: 99}})

function interpret(durable: Durable, told: Told, handler: Handler, program: Partial<Program>): Promise<void> {
  const whole = {name: 'p', handlers: [], rollback: [], mode: 'manual', approvalRequired: false, dryRunRequired: false}
  const job = {program: {...whole, ...program}, parameters: {}, dryRun: false, hasFiles: false}
  return new Interpreter(durable, job, {
    progress: told,
    handlers: new Map([['scripted', handler]]),
    defaultTimeoutMs: 1000,
    prepare: () => Promise.resolve('/nowhere'),
    random: () => 0.5,
  }).run()
}

describe('Interpreter', () => {
  it('comes to the same end wherever the process dies, and repeats no recorded step', async () => {
    const spec = fc.record({after: fc.integer({min: 1, max: 4}), maxAttempts: fc.integer({min: 1, max: 3})})
    const crashes = fc.array(fc.integer({min: 0, max: 4}), {maxLength: 12})
    await fc.assert(
      fc.asyncProperty(fc.array(spec, {minLength: 1, maxLength: 5}), fc.array(spec), crashes, async (a, b, deaths) => {
        const make = (prefix: string, specs: typeof a): HandlerSpec[] =>
          specs.map(({after, maxAttempts}, i) => step(`${prefix}${i}`, {config: {after}, maxAttempts}))
        const program = {handlers: make('h', a), rollback: make('r', b)}
        const smooth = {told: new Told(), handler: new Scripted(), records: new Records()}
        await interpret(smooth.records, smooth.told, smooth.handler, program)
        const rough = {told: new Told(), handler: new Scripted(), records: new Records()}
        for (const left of [...deaths, Infinity]) {
          rough.records.left = left
          await interpret(rough.records, rough.told, rough.handler, program).catch((error: unknown) => {
            if (!(error instanceof Crash)) throw error
            // What a killed process can no longer say.
            rough.told.status = 'running'
            rough.told.message = null
          })
        }
        expect(rough.told.status).to.equal(smooth.told.status)
        expect(rough.told.message).to.equal(smooth.told.message)
        expect(rough.told.lines).to.deep.equal(smooth.told.lines)
        expect(rough.records.names).to.deep.equal(smooth.records.names)
        expect(rough.handler.effects).to.deep.equal(smooth.handler.effects)
      }),
      {numRuns: 200},
    )
  })

  it('pauses between attempts, longer each time, and neither before the first nor after the last', async () => {
    const records = new Records()
    const told = new Told()
    const failing = step('a', {config: {after: 99}, maxAttempts: 4, backoffMs: 100})
    await interpret(records, told, new Scripted(), {handlers: [failing]})
    // three quarters of 100, 200 and 400: the chance here is always one half
    expect(records.pauses).to.deep.equal([75, 150, 300])
    expect(told.lines).to.deep.equal([
      '[a] attempt 1 of 4 failed: not yet',
      '[a] attempt 2 of 4 failed: not yet',
      '[a] attempt 3 of 4 failed: not yet',
      'Handler a: error',
    ])
  })

  it('lets go without a word when the engine stops the execution', async () => {
    const told = new Told()
    const durable = new Records()
    durable.step = () => Promise.reject(new ExecutionStopped('superseded'))
    const error = await interpret(durable, told, new Scripted(), {handlers: [step('a')]}).catch((e: unknown) => e)
    expect(error).to.be.instanceOf(ExecutionStopped)
    expect(told.status).to.equal('running')
  })

  it('never rolls back because the engine stopped it', async () => {
    const told = new Told()
    const handler = new Scripted()
    const durable = new Records()
    const real = durable.step.bind(durable)
    durable.step = (name, work) =>
      name.includes(' b ') ? Promise.reject(new ExecutionStopped('cancelled')) : real(name, work)
    await interpret(durable, told, handler, {handlers: [step('a'), step('b')], rollback: [step('undo')]}).catch(
      () => {},
    )
    expect(handler.effects).to.deep.equal(['a'])
  })

  it('leaves it to the engine to say that a handler broke: only the engine knows whether it may still speak', async () => {
    const told = new Told()
    const broken: Handler = Object.assign(new Scripted(), {run: () => Promise.reject(new Error('a bug with a secret'))})
    const error = await interpret(new Records(), told, broken, {handlers: [step('a')]}).catch((e: unknown) => e)
    expect(error).to.include({message: 'a bug with a secret'})
    expect(told.status).to.equal('running')
  })

  it('undoes nothing that was skipped', async () => {
    const handler = new Scripted()
    const handlers = [step('a'), step('b', {when: "a_out == '7'"}), failing('c')]
    const rollback = [step('undo-a', {undoes: 'a'}), step('undo-b', {undoes: 'b'})]
    const told = new Told()
    await interpret(new Records(), told, handler, {handlers, rollback})
    expect(handler.effects).to.deep.equal(['a', 'c', 'undo-a'])
    expect(told.status).to.equal('rolled_back')
  })

  it('treats a condition on something without a value as not met', async () => {
    const handler = new Scripted()
    await interpret(new Records(), new Told(), handler, {handlers: [step('a', {when: 'nothing != 1'})]})
    expect(handler.effects).to.deep.equal([])
  })
})
