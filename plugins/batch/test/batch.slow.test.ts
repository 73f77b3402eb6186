import {mkdir, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../../../test/support/atomctl.ts'
import {packageText, trustOwnKey} from '../../../test/support/packages.ts'
import {startServices, stopServices} from '../../../test/support/services.ts'

const COUNT = 1000

describe('a batch of a thousand packages', function () {
  this.timeout(300_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await startServices(sandbox)
    await mkdir(sandbox.path('many'))
    for (let index = 0; index < COUNT; index++) {
      await writeFile(sandbox.path('many', `p${index}.wpk.yaml`), packageText({name: `p${index}`}))
    }
    expect((await sandbox.atomctl(['batch', 'sign', 'many'])).code).to.equal(0)
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  const notes = async (...args: string[]): Promise<Map<string, number>> => {
    const {code, stdout, stderr} = await sandbox.atomctl(['batch', 'push', 'many', '-o', 'json', ...args])
    expect(code, stderr).to.equal(0)
    const {data} = JSON.parse(stdout) as {data: {items: {note: string; status: string}[]}}
    const counts = new Map<string, number>()
    for (const {note, status} of data.items) counts.set(`${status} ${note}`, (counts.get(`${status} ${note}`) ?? 0) + 1)
    return counts
  }

  it('reaches the embedded registry whole, is no change when pushed again, and nothing to do when resumed', async () => {
    expect([...(await notes())]).to.deep.equal([['ok pushed', COUNT]])
    expect([...(await notes())]).to.deep.equal([['ok unchanged', COUNT]])
    expect([...(await notes('--resume'))]).to.deep.equal([['skipped unchanged', COUNT]])
    const {stdout} = await sandbox.atomctl(['list', '--all', '-o', 'name'])
    expect(new Set(stdout.trim().split('\n')).size).to.equal(COUNT)
  })

  it('goes on where it was interrupted', async () => {
    const child = sandbox.spawn(['batch', 'push', 'many', '--state', 'state.jsonl', '--rate', '200/s', '-o', 'json'])
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += String(chunk)))
    const {existsSync, readFileSync} = await import('node:fs')
    const lines = (): number =>
      existsSync(sandbox.path('state.jsonl')) ? readFileSync(sandbox.path('state.jsonl'), 'utf8').split('\n').length : 0
    while (lines() < 50 && child.exitCode === null) await new Promise((resolve) => setImmediate(resolve))
    child.kill('SIGINT')
    const [code] = await new Promise<[number | null]>((resolve) => child.once('close', (status) => resolve([status])))
    expect(code).to.equal(130)
    const {data} = JSON.parse(output) as {data: {totals: Record<string, number>}}
    expect(data.totals['failed']).to.equal(0)
    const done = data.totals['ok'] ?? 0
    expect(done).to.be.within(40, COUNT - 1)
    const resumed = await notes('--state', 'state.jsonl', '--resume')
    expect(resumed.get('skipped unchanged')).to.equal(done)
    expect(resumed.get('ok unchanged')).to.equal(COUNT - done)
  })
})
