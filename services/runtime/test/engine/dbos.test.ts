import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {openStorage, type Storage} from '@atomctl/storage'
import {expect} from 'chai'
import {DbosEngine} from '../../src/engine/dbos.ts'
import type {Durable, Run} from '../../src/engine/engine.ts'
import {SILENT} from '../../src/options.ts'
import {eventually, STARTUP_MS} from '../support/waiting.ts'

describe('DbosEngine', () => {
  let directory: string
  let storage: Storage
  let engine: DbosEngine
  const lost: string[] = []
  let runs: Record<string, Run> = {}

  const launch = async (): Promise<void> => {
    engine = new DbosEngine({storage, concurrency: 2, executorId: 'local', leaseMs: 10_000, logger: SILENT})
    const run: Run = async (durable) => runs[durable.executionId]?.(durable)
    await engine.launch(run, async (id, outcome) => void lost.push(`${id} ${outcome}`))
  }

  before(async function () {
    this.timeout(STARTUP_MS)
    directory = mkdtempSync(join(tmpdir(), 'engine-'))
    storage = await openStorage({directory})
    await launch()
  })
  after(async () => {
    await engine.close(0)
    await storage.close()
    rmSync(directory, {recursive: true, force: true})
  })

  const done = (id: string): Promise<unknown> =>
    eventually(`${id} ended`, async () => (await engine.state(id)) !== 'active')

  it('runs an execution and knows afterwards that it ended', async () => {
    const results: number[] = []
    runs = {plain: async (durable) => void results.push(await durable.step('one', () => Promise.resolve(1)))}
    expect(await engine.state('plain')).to.equal(undefined)
    await engine.start('plain')
    await done('plain')
    expect(results).to.deep.equal([1])
    expect(await engine.state('plain')).to.equal('ended')
  })

  it('runs an execution once however often it is started', async () => {
    let count = 0
    runs = {twice: async (durable) => void (await durable.step('one', () => Promise.resolve((count += 1))))}
    await Promise.all([engine.start('twice'), engine.start('twice'), engine.start('twice')])
    await done('twice')
    expect(count).to.equal(1)
  })

  it('stops a running step when the execution is cancelled, and says that it was', async () => {
    const seen: string[] = []
    runs = {
      stopped: async (durable) => {
        await durable.step('long', async (signal) => {
          seen.push('running')
          await aborted(signal)
          return 'cut off'
        })
        seen.push('went on')
      },
    }
    await engine.start('stopped')
    await eventually('it runs', () => seen.includes('running'))
    await engine.cancel('stopped')
    await eventually('it was reported', () => lost.includes('stopped cancelled'))
    expect(seen).to.deep.equal(['running'])
    expect(await engine.state('stopped')).to.equal('cancelled')
  })

  it('stops a pause when the execution is cancelled', async () => {
    const seen: string[] = []
    runs = {
      paused: async (durable) => {
        seen.push('pausing')
        await durable.pause('wait', 60_000)
        seen.push('went on')
      },
    }
    await engine.start('paused')
    await eventually('it pauses', () => seen.includes('pausing'))
    await engine.cancel('paused')
    await eventually('it was reported', () => lost.includes('paused cancelled'))
    expect(seen).to.deep.equal(['pausing'])
  })

  it('runs only so many executions at a time, and lets go of one that is cancelled while it waits', async () => {
    const release = Promise.withResolvers<void>()
    const seen: string[] = []
    const block: Run = async (durable) => {
      seen.push(durable.executionId)
      await durable.step('wait', () => release.promise)
    }
    runs = {a: block, b: block, c: block, d: block}
    for (const id of ['a', 'b', 'c', 'd']) await engine.start(id)
    await eventually('two run', () => seen.length === 2)
    await engine.cancel('c')
    await eventually('the waiting one was reported', () => lost.includes('c cancelled'))
    release.resolve()
    await done('d')
    expect(seen).to.deep.equal(['a', 'b', 'd'])
  })

  it('reports an execution whose run breaks', async () => {
    runs = {broken: () => Promise.reject(new Error('a bug'))}
    await engine.start('broken')
    await eventually('it was reported', () => lost.includes('broken failed'))
  })

  it('leaves a step that does not end in time to the next start, where finished steps do not run again', async () => {
    const seen: string[] = []
    let isLong = true
    const run = async (durable: Durable): Promise<void> => {
      await durable.step('first', () => Promise.resolve(seen.push('first')))
      const result = await durable.step('second', async (signal) => {
        seen.push(isLong ? 'second begins' : 'second again')
        if (isLong) await aborted(signal)
        return isLong ? 'cut off' : 'whole'
      })
      seen.push(`${result}, recovered: ${durable.recovered}`)
    }
    runs = {resumed: run}
    await engine.start('resumed')
    await eventually('the second step runs', () => seen.includes('second begins'))
    await engine.close(50)
    expect(seen).to.deep.equal(['first', 'second begins'])
    isLong = false
    await launch()
    await eventually('it ended', () => seen.at(-1)?.startsWith('whole'))
    expect(seen).to.deep.equal(['first', 'second begins', 'second again', 'whole, recovered: true'])
  })

  it('does not wait at its end for an execution that pauses or waits its turn', async () => {
    const seen: string[] = []
    let isLong = true
    const pause: Run = async (durable) => {
      seen.push(`${durable.executionId} begins`)
      await durable.pause('wait', isLong ? 60_000 : 0)
      seen.push(`${durable.executionId} ends`)
    }
    runs = {p1: pause, p2: pause, p3: pause}
    for (const id of ['p1', 'p2', 'p3']) await engine.start(id)
    await eventually('two pause', () => seen.length === 2)
    const started = performance.now()
    await engine.close(30_000)
    expect(performance.now() - started).to.be.lessThan(5_000)
    isLong = false
    await launch()
    await engine.cancel('p1')
    await engine.cancel('p2')
    await eventually('the third had its turn', () => seen.includes('p3 ends'))
    expect([await engine.state('p1'), await engine.state('p2')]).to.deep.equal(['cancelled', 'cancelled'])
    expect(seen).to.not.include('p1 ends')
  })

  it('is one per process', async () => {
    const second = new DbosEngine({storage, concurrency: 1, executorId: 'local', leaseMs: 10_000, logger: SILENT})
    let message = ''
    await second
      .launch(
        () => Promise.resolve(),
        () => Promise.resolve(),
      )
      .catch((error: Error) => (message = error.message))
    expect(message).to.contain('one runtime')
  })
})

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), {once: true}))
}
