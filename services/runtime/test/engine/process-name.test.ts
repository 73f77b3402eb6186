import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {expect} from 'chai'
import {isGone, nameProcess} from '../../src/engine/process-name.ts'

describe('the name of a process', () => {
  before(function () {
    if (process.platform !== 'linux') this.skip()
  })

  it('is another one each time, and says that this process is there', () => {
    const [one, two] = [nameProcess(), nameProcess()]
    expect(one).to.not.equal(two)
    expect([isGone(one), isGone(two)]).to.deep.equal([false, false])
  })

  it('says that a process is gone once it is, and when its number has been given to another', async () => {
    const child = spawn('sleep', ['60'], {stdio: 'ignore'})
    await once(child, 'spawn')
    const [id, place, , started] = nameProcess().split('@')
    // of the child only the number is known, which is enough once nobody has it
    const later = [id, place, child.pid, started].join('@')
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(isGone(later)).to.equal(true)
    expect(isGone([id, place, process.pid, Number(started) - 1].join('@'))).to.equal(true)
  })

  it('says nothing about a process elsewhere: another machine, another start of this one, another namespace', () => {
    const [id, place = '', , started] = nameProcess().split('@')
    const [boot, namespace] = place.split('/')
    for (const other of [`00000000-${boot}/${namespace}`, `${boot}/pid:[1]`, '', 'nowhere'])
      expect(isGone([id, other, 999_999_999, started].join('@')), other).to.equal(false)
    expect(isGone('0a8d9f7e-0000-4000-8000-000000000000'), 'of an earlier release').to.equal(false)
  })
})
