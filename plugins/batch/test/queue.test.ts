import {appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {AtomError} from '@atomctl/sdk/errors'
import {expect} from 'chai'
import {failureOf} from '../src/exit.ts'
import {renderJunit} from '../src/formats/junit.ts'
import {renderMarkdown} from '../src/formats/markdown.ts'
import {type BatchItem, failedItem, summarizeBatch, type Task} from '../src/item.ts'
import {Journal} from '../src/journal.ts'
import {type QueueOptions, type Work, workThrough} from '../src/queue.ts'
import {Pace, parseRate} from '../src/rate.ts'

const tasksOf = (count: number): Task[] => Array.from({length: count}, (_, index) => ({subject: `p${index}`}))
const statuses = (items: readonly BatchItem[]): string => items.map(({status}) => status[0]).join('')

describe('the queue of a batch', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'atomctl-batch-test-'))
  })
  afterEach(() => rmSync(directory, {recursive: true, force: true}))

  async function run(
    count: number,
    perform: Work['perform'],
    {resume = false, scope = 's', ...options}: Partial<QueueOptions> & {resume?: boolean; scope?: string} = {},
  ): Promise<BatchItem[]> {
    using journal = await Journal.open(join(directory, 'state.jsonl'), {scope, resume})
    return await workThrough(
      tasksOf(count),
      {fingerprint: async ({subject}) => `digest of ${subject}`, perform},
      {concurrency: 3, failFast: false, signal: new AbortController().signal, journal, onItem: () => {}, ...options},
    )
  }

  it('works on so many at a time, never more, and reports in order', async () => {
    let active = 0
    let most = 0
    const items = await run(20, async ({subject}) => {
      most = Math.max(most, ++active)
      await new Promise((resolve) => setImmediate(resolve))
      active -= 1
      return {id: subject}
    })
    expect(most).to.equal(3)
    expect(items.map(({id}) => id)).to.deep.equal(tasksOf(20).map(({subject}) => subject))
  })

  const failAt =
    (index: number): Work['perform'] =>
    async ({subject}) => {
      if (subject === `p${index}`) throw new AtomError('UNAVAILABLE', 'away')
      return {}
    }

  it('goes on after a failure, or begins nothing further with failFast', async () => {
    expect(statuses(await run(6, failAt(1), {concurrency: 1}))).to.equal('ofoooo')
    expect(statuses(await run(6, failAt(1), {concurrency: 1, failFast: true}))).to.equal('ofnnnn')
  })

  it('skips on resume what was done with the same content and scope, and nothing else', async () => {
    await run(4, failAt(2), {concurrency: 1})
    expect(statuses(await run(5, async () => ({}), {resume: true}))).to.equal('ssoso')
    expect(statuses(await run(5, async () => ({}), {resume: true, scope: 'another registry'}))).to.equal('ooooo')
    expect(statuses(await run(5, async () => ({})))).to.equal('ooooo')
  })

  it('takes a line of the journal that was cut off for not done', async () => {
    await run(3, async () => ({}), {concurrency: 1})
    const path = join(directory, 'state.jsonl')
    writeFileSync(path, readFileSync(path, 'utf8').slice(0, -20))
    appendFileSync(path, '\nnonsense\n{"key": 7}\nnull\n')
    expect(statuses(await run(3, async () => ({}), {resume: true}))).to.equal('sso')
    expect(statuses(await run(3, async () => ({}), {resume: true}))).to.equal('sss')
  })

  it('finds again what was begun and not seen to end, and forgets what ended badly', async () => {
    await run(1, async (_, {remember}) => {
      remember('exec-1')
      throw new AtomError('WAIT_TIMEOUT', 'late')
    })
    const seen: (string | undefined)[] = []
    await run(
      1,
      async (_, {pending, remember}) => {
        seen.push(pending)
        remember('')
        throw new AtomError('EXECUTION_FAILED', 'no')
      },
      {resume: true},
    )
    await run(1, async (_, {pending}) => ({note: String(seen.push(pending))}), {resume: true})
    expect(seen).to.deep.equal(['exec-1', undefined])
  })

  it('hands the key of an attempt to the next run until its outcome is known', async () => {
    const seen: (string | undefined)[] = []
    await run(1, async (_, {begin}) => {
      begin('key-1')
      throw new AtomError('UNAVAILABLE', 'the answer was lost')
    })
    await run(
      1,
      async (_, {attempt, remember}) => {
        seen.push(attempt)
        remember('exec-1')
        throw new AtomError('WAIT_TIMEOUT', 'late')
      },
      {resume: true},
    )
    await run(1, async (_, {attempt, pending}) => ({note: String(seen.push(attempt, pending))}), {resume: true})
    expect(seen).to.deep.equal(['key-1', undefined, 'exec-1'])
  })

  it('takes no key from its file that could be more than a key', async () => {
    await run(1, async (_, {begin}) => {
      begin('key-1')
      throw new AtomError('UNAVAILABLE', 'the answer was lost')
    })
    const path = join(directory, 'state.jsonl')
    writeFileSync(path, readFileSync(path, 'utf8').replace('key-1', String.raw`key\r\nx: y`))
    const [item] = await run(1, async (_, {attempt}) => ({note: String(attempt)}), {resume: true})
    expect(item).to.include({status: 'ok', note: 'undefined'})
  })

  it('tells what waits for somebody from what is done and what failed, and asks for it again', async () => {
    const waiting = new AtomError('APPROVAL_PENDING', 'it waits')
    const work: Work['perform'] = async ({subject}, {remember}) => {
      remember(`exec of ${subject}`)
      return subject === 'p1' ? {note: 'waits', waiting} : {}
    }
    const items = await run(3, work, {concurrency: 1, failFast: true})
    expect(statuses(items)).to.equal('owo')
    const failure = failureOf(summarizeBatch('run', items, 1), false)
    expect(failure).to.include({code: 'APPROVAL_PENDING', message: '1 of 3 packages wait for approval'})
    expect(statuses(await run(3, async () => ({}), {resume: true}))).to.equal('sos')
  })

  it('reports what an interruption left, without blaming it on the packages', async () => {
    const controller = new AbortController()
    const items = await run(
      5,
      async ({subject}) => {
        if (subject !== 'p1') return {}
        controller.abort()
        throw new AtomError('UNAVAILABLE', 'the request was aborted')
      },
      {concurrency: 1, signal: controller.signal},
    )
    expect(statuses(items)).to.equal('onnnn')
    expect(failureOf(summarizeBatch('push', items, 1), true)?.code).to.equal('INTERRUPTED')
  })

  it('keeps the pace, from the first on', async () => {
    const pace = new Pace(20)
    const {signal} = new AbortController()
    const started = performance.now()
    for (let index = 0; index < 6; index++) await pace.next(signal)
    expect(performance.now() - started).to.be.at.least(95)
    expect([parseRate('10/s'), parseRate('30/m'), parseRate('0.5/s')]).to.deep.equal([100, 2000, 2000])
    for (const text of ['', '10', '0/s', '-1/s', '1/d', '1e3/s', 'x/s'])
      expect(() => parseRate(text), text).to.throw('rate')
  })
})

describe('the exit code of a batch', () => {
  const endsWith = (...codes: string[]): string | undefined => {
    const items = codes.map((code) => failedItem('p', new AtomError(code, 'm'), 1))
    return failureOf(summarizeBatch('push', [...items, {subject: 'q', status: 'skipped', duration: 0}], 1), false)?.code
  }

  it('is that of the gravest failure: bugs, then signatures, then rights, then content, and what may pass last', () => {
    expect(endsWith()).to.equal(undefined)
    expect(endsWith('UNAVAILABLE', 'VERSION_EXISTS')).to.equal('VERSION_EXISTS')
    expect(endsWith('WPK_INVALID', 'WPK_UNSIGNED', 'SIGNER_UNTRUSTED')).to.equal('SIGNER_UNTRUSTED')
    expect(endsWith('SIGNER_UNTRUSTED', 'WPK_TAMPERED')).to.equal('WPK_TAMPERED')
    expect(endsWith('WPK_TAMPERED', 'INTERNAL')).to.equal('INTERNAL')
    expect(endsWith('UNAVAILABLE', 'TIMEOUT')).to.equal('UNAVAILABLE')
    expect(endsWith('EXECUTION_FAILED', 'ROLLBACK_FAILED', 'DENIED')).to.equal('DENIED')
  })
})

describe('the reports of a batch', () => {
  const hostile = '<script>|`*_[x](javascript:y)\n"\u001B'
  const report = summarizeBatch(
    'push',
    [failedItem(hostile, new AtomError('CONFLICT', hostile, {hint: hostile}), 5)],
    5,
  )

  it('escape what files and servers say, in Markdown', () => {
    const text = renderMarkdown(report)
    for (const raw of ['<script>', '\u001B', '[x]']) expect(text).not.to.contain(raw)
    expect(text.split('\n').filter((line) => line.startsWith('| &#60;'))).to.have.length(1)
  })

  it('escape what files and servers say, in JUnit', () => {
    const text = renderJunit(report)
    expect(text).to.contain('failures="1"')
    for (const raw of ['<script>', '\u001B']) expect(text).not.to.contain(raw)
  })
})
