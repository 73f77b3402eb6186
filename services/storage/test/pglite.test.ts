import {chmod, mkdir, readdir, rm, stat, truncate, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {openStorage, STORAGE_ERRORS, type Storage} from '../src/index.ts'
import {checkSpace} from '../src/space.ts'
import {describeStorage} from './bytes.suite.ts'
import {rejection, withDirectory} from './support/directory.ts'

describe('storage in a directory (PGlite)', function () {
  this.timeout(60_000) // the first run in a fresh checkout prepares the data directory

  describe('once open', () => {
    let storage: Storage
    let finish: () => void
    let done: Promise<void>
    before(async () => {
      const opened = Promise.withResolvers<void>()
      const finished = Promise.withResolvers<void>()
      finish = finished.resolve
      done = withDirectory(async (directory) => {
        storage = await openStorage({directory})
        opened.resolve()
        await finished.promise
        await storage.close()
      })
      await Promise.race([opened.promise, done])
    })
    after(async () => {
      finish()
      await done
    })
    describeStorage(() => storage)

    it('has exactly one connection', () => expect(storage.pool.options.max).to.equal(1))
  })

  it('keeps its content over a restart and shows it to nobody else', () =>
    withDirectory(async (parent) => {
      const directory = join(parent, 'new', 'data')
      const first = await openStorage({directory})
      const {id} = await first.bytes.write(one('lasting'))
      await first.close()
      expect(await readdir(directory)).to.deep.equal(['pgdata'])
      if (process.platform !== 'win32') expect((await stat(directory)).mode & 0o777).to.equal(0o700)
      const second = await openStorage({directory})
      expect(Buffer.concat(await Array.fromAsync(second.bytes.read(id))).toString()).to.equal('lasting')
      await second.close()
    }))

  it('starts again after it was stopped while unpacking the first time', () =>
    withDirectory(async (directory) => {
      await mkdir(join(directory, 'pgdata.partial', 'base'), {recursive: true})
      await writeFile(join(directory, 'pgdata.partial', 'PG_VERSION'), 'x')
      await (await openStorage({directory})).close()
    }))

  const damages: [string, (pgdata: string) => Promise<void>][] = [
    ['has no PG_VERSION', (pgdata) => rm(join(pgdata, 'PG_VERSION'))],
    ['is of another PostgreSQL', (pgdata) => writeFile(join(pgdata, 'PG_VERSION'), '12\n')],
    ['has lost its control file', (pgdata) => rm(join(pgdata, 'global', 'pg_control'))],
    ['has a control file that was cut off', (pgdata) => truncate(join(pgdata, 'global', 'pg_control'), 10)],
    ['has lost a folder of tables', (pgdata) => rm(join(pgdata, 'base'), {recursive: true})],
  ]
  for (const [title, damage] of damages) {
    it(`says that the directory is damaged when it ${title}, and frees the lock`, () =>
      withDirectory(async (directory) => {
        await (await openStorage({directory})).close()
        await damage(join(directory, 'pgdata'))
        const error = await rejection(openStorage({directory}))
        expect(error.code).to.equal('STORAGE_CORRUPT')
        expect(error.message).to.contain(directory)
        expect(await readdir(directory)).to.deep.equal(['pgdata'])
      }))
  }

  it('says so when the directory is a file or cannot be written', () =>
    withDirectory(async (directory) => {
      const file = join(directory, 'file')
      await writeFile(file, '')
      expect(STORAGE_ERRORS).to.have.property((await rejection(openStorage({directory: file}))).code ?? '')
      if (process.getuid?.() === 0) return // root may write everywhere
      await mkdir(join(directory, 'closed'), {mode: 0o500})
      expect((await rejection(openStorage({directory: join(directory, 'closed')}))).code).to.equal(
        'STORAGE_UNREACHABLE',
      )
      await chmod(join(directory, 'closed'), 0o700)
    }))
})

describe('the space for a database', () => {
  it('is refused while it is not there, with the numbers', () =>
    withDirectory(async (directory) => {
      await checkSpace(directory, 1)
      const error = await rejection(checkSpace(directory, 2 ** 60))
      expect(error.code).to.equal('STORAGE_FULL')
      expect(error.message).to.match(/\d+ MB are free, 1099511627776 MB are needed/)
    }))
})

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}
