import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {expect} from 'chai'
import {identifyProcess, isAlive, readResidentBytes, waitForEnd} from '../src/process.ts'

describe('process identity', () => {
  it('knows a process again, and not another one with the same number', async () => {
    const self = await identifyProcess(process.pid)
    expect(self).to.include({pid: process.pid})
    expect(await isAlive(self!)).to.equal(true)
    expect(await isAlive({...self!, started: '1'})).to.equal(process.platform === 'win32')
    expect(await isAlive({...self!, boot: 'an earlier one'})).to.equal(false)
  })

  it('finds nothing under a number that is not in use', async () => {
    const child = spawn('sleep', ['60'])
    const identity = await identifyProcess(Number(child.pid))
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(await identifyProcess(Number(child.pid))).to.equal(undefined)
    expect(await isAlive(identity!)).to.equal(false)
  })

  it('takes a zombie for gone: its end may never be collected in a container', async function () {
    if (process.platform === 'win32') this.skip()
    // The shell becomes a program that never waits for the child it already has.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'])
    const [line] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(String(line))
    try {
      expect(await waitForEnd({pid, started: null, boot: null}, 5000)).to.equal(true)
    } finally {
      parent.kill('SIGKILL')
      await once(parent, 'close')
    }
  })

  it('stops waiting for a process that goes on', async () => {
    const self = await identifyProcess(process.pid)
    expect(await waitForEnd(self!, 50)).to.equal(false)
  })

  it('reads how much memory is resident', async function () {
    if (process.platform === 'win32') this.skip()
    expect(await readResidentBytes(process.pid)).to.be.within(2 ** 24, 2 ** 33)
  })
})
