import {existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {shell, Trust} from './support/packages.ts'
import {ServerProcess} from './support/process.ts'
import {eventually} from './support/waiting.ts'

/** Debian's libfaketime, or undefined. */
function findFaketime(): string | undefined {
  const directories = readdirSync('/usr/lib').map((name) => join('/usr/lib', name, 'faketime', 'libfaketime.so.1'))
  return directories.find((file) => existsSync(file))
}

describe('a runtime whose clock jumps', function () {
  this.timeout(180_000)
  let directory: string
  let clock: string
  let server: ServerProcess
  let trust: Trust
  before(async function () {
    const library = findFaketime()
    if (library === undefined) {
      console.log('      no libfaketime here: apt-get install libfaketime')
      return this.skip()
    }
    directory = mkdtempSync(join(tmpdir(), 'clock-'))
    clock = join(directory, 'clock')
    writeFileSync(clock, '+0')
    trust = await Trust.create()
    server = await ServerProcess.start(directory, trust.policyFile, '', {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      // As on a real machine: the wall clock is set, the monotonic one is not.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    })
  })
  after(async () => {
    await server?.kill('SIGKILL')
    if (directory) rmSync(directory, {recursive: true, force: true})
  })
  beforeEach(() => writeFileSync(clock, '+0'))

  const path = (name: string): string => join(directory, name)
  const start = async (handlers: object[]): Promise<string> => {
    const content = await trust.sign({handlers})
    const {body} = await server.post('/execute', {workflow_id: 'w', wpk_content: content})
    return String(body['execution_id'])
  }
  const ended = (id: string): Promise<Record<string, unknown>> =>
    eventually(
      'it ended',
      async () => {
        const execution = await server.get(`/execute/${id}`)
        return execution['completed_at'] ? execution : undefined
      },
      90,
    )

  it('back by a day does not pause for a day between two attempts', async () => {
    const command = `echo x >> "${path('back')}"; [ "$(wc -l < "${path('back')}")" -gt 1 ]`
    const id = await start([shell('again', command, {retry: {max_attempts: 3, backoff: '3s'}})])
    await eventually('the first attempt failed', () => existsSync(path('back')), 60)
    writeFileSync(clock, '-1d')
    const execution = await ended(id)
    expect(execution).to.include({status: 'completed'})
    const {timestamp} = await server.get('/health')
    expect(Date.parse(String(timestamp)), 'the clock was really set').to.be.lessThan(Date.now() - 80_000_000)
  })

  it('forward by a day does not cut off a step that has a timeout', async () => {
    const wait = `touch "${path('forward')}"; until [ -e "${path('go')}" ]; do sleep 0.05; done`
    const id = await start([shell('long', wait, {timeout: '10m'}), shell('next', 'true')])
    await eventually('the step runs', () => existsSync(path('forward')), 60)
    writeFileSync(clock, '+1d')
    await eventually('the clock was set', async () => {
      const {timestamp} = await server.get('/health')
      return Date.parse(String(timestamp)) > Date.now() + 80_000_000
    })
    expect(await server.get(`/execute/${id}`)).to.include({status: 'running', current_step: 'long'})
    writeFileSync(path('go'), '')
    expect(await ended(id)).to.include({status: 'completed', steps_completed: 2})
  })
})
