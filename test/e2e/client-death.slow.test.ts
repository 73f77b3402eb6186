import {existsSync} from 'node:fs'
import {readFile, writeFile} from 'node:fs/promises'
import {setTimeout as delay} from 'node:timers/promises'
import {expect} from 'chai'
import {createSandbox, finished, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey, writeSignedPackage} from '../support/packages.ts'
import {startServices, stopServices} from '../support/services.ts'

describe('a client that is killed', function () {
  this.timeout(180_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await startServices(sandbox)
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  const dataOf = async <T>(...args: string[]): Promise<T> => {
    const {stdout, stderr} = await sandbox.atomctl([...args, '--json'])
    if (stdout === '') throw new Error(stderr)
    return (JSON.parse(stdout) as {data: T}).data
  }
  const statusOf = async (id: string): Promise<string> => (await dataOf<{status: string}>('status', id)).status
  const eventually = async (what: string, find: () => Promise<boolean> | boolean): Promise<void> => {
    for (const deadline = Date.now() + 60_000; Date.now() < deadline; await delay(50)) if (await find()) return
    throw new Error(`never happened: ${what}`)
  }

  it('while it waits for its execution changes nothing for it', async () => {
    const command = `touch "${sandbox.path('begun')}"; until [ -e "${sandbox.path('go')}" ]; do sleep 0.05; done; echo done >> "${sandbox.path('notes')}"`
    const file = await writeSignedPackage(sandbox, {name: 'waited', command})
    const child = sandbox.spawn(['run', file, '--wait'])
    const end = finished(child)
    await eventually('its step runs', () => existsSync(sandbox.path('begun')))
    child.kill('SIGKILL')
    const {stdout, signal} = await end
    expect(signal).to.equal('SIGKILL')
    const id = /Execution ID: (\S+)/.exec(stdout)?.[1] ?? ''
    expect(await statusOf(id)).to.equal('running')
    await writeFile(sandbox.path('go'), '')
    await eventually('the execution ended', async () => (await statusOf(id)) === 'completed')
    expect(await readFile(sandbox.path('notes'), 'utf8')).to.equal('done\n')
  })

  it('at any moment of run leaves an execution that ends, or none', async () => {
    const file = await writeSignedPackage(sandbox, {name: 'cut', command: `echo ran >> "${sandbox.path('cut-notes')}"`})
    for (const milliseconds of [100, 250, 400, 800]) {
      const child = sandbox.spawn(['run', file])
      const end = finished(child)
      await Promise.race([end, delay(milliseconds)])
      child.kill('SIGKILL')
      await end
    }
    const own = (): Promise<{status: string}[]> => dataOf('executions', '--workflow', 'cut-1.0.0')
    await eventually('every execution ended', async () => (await own()).every(({status}) => status === 'completed'))
    const ran = await readFile(sandbox.path('cut-notes'), 'utf8').catch(() => '')
    expect(ran.split('\n').length - 1).to.equal((await own()).length)
  })

  it('at any moment of push leaves the whole package, or nothing', async () => {
    for (const [number, milliseconds] of [150, 300, 500].entries()) {
      const file = await writeSignedPackage(sandbox, {name: `pushed-${number}`, command: `echo ${'x'.repeat(200_000)}`})
      const child = sandbox.spawn(['push', file])
      const end = finished(child)
      await Promise.race([end, delay(milliseconds)])
      child.kill('SIGKILL')
      await end
      const pulled = await sandbox.atomctl(['verify', `pushed-${number}-1.0.0`])
      expect(pulled.code, pulled.stderr).to.be.oneOf([0, 6])
      const again = await sandbox.atomctl(['push', file])
      expect(again.code, again.stderr).to.equal(0)
      expect((await sandbox.atomctl(['verify', `pushed-${number}-1.0.0`])).code).to.equal(0)
    }
  })
})
