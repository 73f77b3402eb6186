import {spawn, type ChildProcess} from 'node:child_process'
import {once} from 'node:events'
import {readFile, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {expect} from 'chai'
import {openStorage} from '../src/index.ts'
import {lockDirectory} from '../src/lock.ts'
import {rejection, withDirectory} from './support/directory.ts'

const HOLDER = fileURLToPath(new URL('support/holder.ts', import.meta.url))
const SOURCES = new URL('../../../scripts/sources.mjs', import.meta.url).href

describe('the lock of a data directory', () => {
  it('refuses a second opening in the same process and lets go when closed', () =>
    withDirectory(async (directory) => {
      const lock = await lockDirectory(directory)
      const error = await rejection(lockDirectory(directory))
      expect(error.code).to.equal('STORAGE_LOCKED')
      expect(error.message).to.contain(directory).and.contain(String(process.pid))
      expect(error.hint).to.contain('atomctl dev down')
      await lock.release()
      await (await lockDirectory(directory)).release()
    }))

  it('refuses a directory another process holds, and takes it over after kill -9', () =>
    withDirectory(async (directory) => {
      const holder = await startHolder(directory)
      const error = await rejection(openStorage({directory}))
      expect(error.code).to.equal('STORAGE_LOCKED')
      expect(error.message).to.contain(`process ${holder.pid}`)
      await killHolder(holder)
      const storage = await openStorage({directory})
      const {rows} = await storage.pool.query('select kept, size from storage_bytes')
      expect(rows, 'what was kept is there, what was being staged is swept').to.deep.equal([
        {kept: true, size: '300000'},
      ])
      await storage.close()
    })).timeout(60_000)

  it('lets exactly one of many take over a stale lock', () =>
    withDirectory(async (directory) => {
      await writeLock(directory, {pid: process.pid, started: 'another life of this pid'})
      const results = await Promise.allSettled(Array.from({length: 20}, () => lockDirectory(directory)))
      const won = results.filter((result) => result.status === 'fulfilled')
      expect(won).to.have.length(1)
      for (const result of results)
        if (result.status === 'rejected') expect(result.reason.code).to.equal('STORAGE_LOCKED')
      await won[0]?.value.release()
    }))

  it('takes over a lock file that a crash of the machine left empty', () =>
    withDirectory(async (directory) => {
      await writeFile(join(directory, 'lock'), '')
      await (await lockDirectory(directory)).release()
    }))

  it('goes by the heartbeat of an owner whose pid it cannot look up', () =>
    withDirectory(async (directory) => {
      await writeLock(directory, {space: 'another container'})
      expect((await rejection(lockDirectory(directory))).code).to.equal('STORAGE_LOCKED')
      const longAgo = new Date(Date.now() - 60_000)
      await utimes(join(directory, 'lock'), longAgo, longAgo)
      await (await lockDirectory(directory)).release()
    }))
})

/** Writes the lock this process would take, with some facts changed. */
async function writeLock(directory: string, changes: object): Promise<void> {
  const lock = await lockDirectory(directory)
  const owner = JSON.parse(await readFile(join(directory, 'lock'), 'utf8')) as object
  await lock.release()
  await writeFile(join(directory, 'lock'), JSON.stringify({...owner, ...changes}))
}

async function startHolder(directory: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', SOURCES, HOLDER, directory], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}

async function killHolder(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}
