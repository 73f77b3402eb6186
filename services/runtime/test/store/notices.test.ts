import {EventEmitter} from 'node:events'
import {expect} from 'chai'
import type pg from 'pg'
import {Hub} from '../../src/store/hub.ts'
import {Notices} from '../../src/store/notices.ts'
import {eventually} from '../support/waiting.ts'

/** Stands for a connection of a PostgreSQL that restarts while LISTEN is sent: pg tells that twice. */
class Connection extends EventEmitter {
  isReleased = false
  readonly #isLost: boolean

  constructor(isLost: boolean) {
    super()
    this.#isLost = isLost
  }

  async query(): Promise<void> {
    if (!this.#isLost) return
    this.emit('error', new Error('terminated'))
    throw new Error('terminated')
  }

  release(): void {
    this.isReleased = true
  }
}

const silent = {info: () => {}, warn: () => {}, error: () => {}}

describe('what runtimes announce to each other', () => {
  it('is heard on one connection, also after one was lost twice over, and closing gives it back', async () => {
    const connections: Connection[] = []
    const connect = async (): Promise<Connection> => {
      connections.push(new Connection(connections.length === 0))
      return connections.at(-1) as Connection
    }
    const notices = new Notices({connect} as unknown as pg.Pool, new Hub(), silent)
    await notices.listen()
    await eventually('it listens again', () => connections.length > 1)
    await new Promise(setImmediate)
    notices.close()
    expect(connections.map(({isReleased}) => isReleased)).to.deep.equal([true, true])
  })

  it('gives back a connection that comes when it is closed already', async () => {
    const connection = new Connection(false)
    const notices = new Notices({connect: async () => connection} as unknown as pg.Pool, new Hub(), silent)
    const listening = notices.listen()
    notices.close()
    await listening
    expect(connection.isReleased).to.equal(true)
  })
})
