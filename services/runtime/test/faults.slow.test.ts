import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {openStorage} from '@atomctl/storage'
import {expect} from 'chai'
import pg from 'pg'
import {Chance} from '../../../scripts/fuzzing.ts'
import {startPostgresql, type TestDatabase} from '../../storage/test/support/postgresql.ts'
import {PatientClient} from './support/faults/client.ts'
import {Fleet, type Seat} from './support/faults/fleet.ts'
import {findViolations} from './support/faults/invariants.ts'
import {storm} from './support/faults/storm.ts'
import {shell, Trust, type PackageShape} from './support/packages.ts'
import {eventually} from './support/waiting.ts'

/** The same storms at every run; `node scripts/fuzz-faults.ts` draws others, for as long as wanted. */
const SEED = 20261128
const PATIENCE_SECONDS = 90

describe('whatever dies, nothing is lost', function () {
  this.timeout(300_000)
  let directory: string
  let trust: Trust
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'faults-'))
    trust = await Trust.create()
  })
  after(() => rmSync(directory, {recursive: true, force: true}))

  const path = (name: string): string => join(directory, name)
  const newLedger = (name: string): string => {
    writeFileSync(path(name), '')
    return path(name)
  }
  const effects = (name: string): string[] => readFileSync(path(name), 'utf8').trim().split('\n')
  const note = (ledger: string, text: string): string => `echo "${text}" >> "${path(ledger)}"`
  const requestOf = async (shape: PackageShape): Promise<object> => ({
    workflow_id: 'test-package-1.0.0',
    wpk_content: await trust.sign(shape),
  })
  const ended = (client: PatientClient, id: string): Promise<Record<string, unknown>> =>
    eventually(
      `${id} ended`,
      async () => {
        const execution = await client.get(`/execute/${id}`)
        return execution['completed_at'] ? execution : undefined
      },
      PATIENCE_SECONDS,
    )

  describe('on PostgreSQL, with three runtimes', () => {
    let database: TestDatabase | undefined
    let fleet: Fleet
    before(async function () {
      database = await startPostgresql()
      if (!database?.server) {
        console.log(
          '      no PostgreSQL of our own to kill: apt-get install postgresql, and no ATOMCTL_TEST_DATABASE_URL',
        )
        return this.skip()
      }
      fleet = await Fleet.start(3, database.server, path('postgresql'), trust.policyFile)
    })
    after(async () => {
      await fleet?.stop()
      await database?.stop()
    })

    for (const number of [1, 2])
      it(`storm ${number}: kills, sleeps, restarts and cut networks break no promise`, async () => {
        const {server, url} = database!
        const ledger = newLedger(`storm-${number}`)
        const happened: string[] = []
        const accepted = await storm({
          fleet,
          server: server!,
          trust,
          ledger,
          chance: new Chance(SEED + number),
          executions: 20,
          faults: 7,
          say: (line) => happened.push(line),
        })
        const pool = new pg.Pool({connectionString: url})
        const violations = await findViolations(pool, ledger, accepted).finally(() => pool.end())
        expect(violations, happened.join(', ')).to.deep.equal([])
        expect(accepted).to.have.length(20)
      })

    it('a runtime that sleeps through its lease wakes up to do nothing more for what others carried on', async () => {
      const [sleeper] = fleet.seats as [Seat]
      const handlers = [
        shell('one', note('zombie', 'one')),
        shell('two', `${note('zombie', 'two')}; until [ -e "${path('zombie-go')}" ]; do sleep 0.05; done; exit 1`),
      ]
      const undo = {enabled: true, handlers: [shell('undo', note('zombie', 'undo'), {undoes: 'one'})]}
      const safety = {rollback_enabled: true}
      const {body} = await sleeper.process!.post('/execute', await requestOf({handlers, rollback: undo, safety}))
      const id = String(body['execution_id'])
      await eventually('the second step runs', () => existsSync(path('zombie')) && effects('zombie').length === 2)
      sleeper.freeze()
      await eventually('another runs it again', () => effects('zombie').length === 3, PATIENCE_SECONDS)
      writeFileSync(path('zombie-go'), '')
      const client = new PatientClient(fleet)
      expect(await ended(client, id)).to.include({status: 'rolled_back'})
      sleeper.thaw()
      // Its own command ended long ago: what it would do about that, it has done when it answers again.
      await eventually('it is awake', async () => (await sleeper.process!.get('/health'))['status'] === 'healthy')
      const other = await sleeper.process!.post('/execute', await requestOf({handlers: [shell('a', 'true')]}))
      await ended(client, String(other.body['execution_id']))
      expect(effects('zombie')).to.deep.equal(['one', 'two', 'two', 'undo'])
      const {logs} = (await client.get(`/execute/${id}`)) as {logs: string[]}
      expect(logs.filter((line) => line === 'Rollback undo: success')).to.have.length(1)
    })

    it('a restart of PostgreSQL in the middle of a step neither fails nor repeats it', async () => {
      const {server} = database!
      const handlers = [
        shell('one', `${note('outage', 'one')}; until [ -e "${path('outage-go')}" ]; do sleep 0.05; done`),
        shell('two', note('outage', 'two')),
      ]
      const client = new PatientClient(fleet)
      const {execution_id: id} = await client.post('/execute', await requestOf({handlers}))
      await eventually('the first step runs', () => existsSync(path('outage')))
      await server!.kill('SIGKILL')
      writeFileSync(path('outage-go'), '')
      await server!.start()
      expect(await ended(client, String(id))).to.include({status: 'completed', error_message: null})
      expect(effects('outage').slice(-1)).to.deep.equal(['two'])
    })

    it('a thousand queued executions all complete through a restart of every runtime', async function () {
      this.timeout(900_000)
      const wait = `until [ -e "${path('queue-go')}" ]; do sleep 0.5; done`
      const handlers = [shell('count', `${wait}; echo $ATOM_IDEMPOTENCY_KEY >> "${newLedger('queue')}"`)]
      const request = await requestOf({handlers})
      const numbers = Array.from({length: 1000}, (_, number) => number)
      const ids = new Set<string>()
      const queue = async (): Promise<void> => {
        const client = new PatientClient(fleet, new Chance(SEED))
        for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
          const answer = await client.post('/execute', request, {'idempotency-key': `queued-${number}`})
          ids.add(String(answer['execution_id']))
        }
      }
      await Promise.all([queue(), queue(), queue(), queue()])
      expect(ids.size).to.equal(1000)
      for (const seat of fleet.seats) await seat.restart('SIGTERM')
      writeFileSync(path('queue-go'), '')
      const pool = new pg.Pool({connectionString: database!.url})
      const completed = async (): Promise<boolean> => {
        const {rows} = await pool.query<{count: string}>(
          `select count(*) from runtime_executions where id = any($1) and status = 'completed'`,
          [[...ids]],
        )
        return rows[0]?.count === '1000'
      }
      await eventually('all of them completed', completed, 500)
      // recorded once each: what is recorded is never done again
      const {rows: odd} = await pool.query<{id: string}>(
        `select e.id from runtime_executions e left join runtime_events t
           on t.execution_id = e.id and t.body = 'Handler count: success'
         where e.id = any($1) group by e.id having count(t.seq) <> 1`,
        [[...ids]],
      )
      expect(odd).to.deep.equal([])
      await pool.end()
      // a step whose runtime is so busy that it is taken for dead runs again elsewhere, with the same key: so the keys count
      expect(new Set(effects('queue')).size).to.equal(1000)
    })
  })

  describe('on the embedded database', () => {
    let fleet: Fleet
    before(async () => {
      fleet = await Fleet.startEmbedded(path('embedded'), trust.policyFile)
    })
    after(() => fleet?.stop())

    it('kill -9 before, in and after every step of a run and its rollback breaks no promise', async () => {
      const [seat] = fleet.seats as [Seat]
      const step = (text: string): string =>
        `${note('boundary', `${text} begins`)}; sleep 0.05; ${note('boundary', text)}`
      const request = await requestOf({
        handlers: [shell('a', step('a')), shell('b', step('b')), shell('c', `${step('c')}; exit 1`)],
        safety: {rollback_enabled: true},
        rollback: {
          enabled: true,
          handlers: [shell('undo-a', step('undo-a'), {undoes: 'a'}), shell('undo-b', step('undo-b'), {undoes: 'b'})],
        },
      })
      const order = ['a', 'b', 'c', 'undo-b', 'undo-a']
      for (const [number, line] of order.flatMap((name) => [`${name} begins`, name]).entries()) {
        newLedger('boundary')
        const client = new PatientClient(fleet)
        const {execution_id: id} = await client.post('/execute', request, {'idempotency-key': `boundary-${number}`})
        await eventually(`"${line}" is reached`, () => effects('boundary').includes(line), PATIENCE_SECONDS)
        await seat.restart('SIGKILL')
        expect(await ended(client, String(id)), line).to.include({status: 'rolled_back'})
        const ran = effects('boundary').filter((text) => !text.endsWith(' begins'))
        const told = ran.filter((name, index) => name !== ran[index - 1])
        expect(told, `killed at "${line}"`).to.deep.equal(order)
        expect(ran.length, `killed at "${line}"`).to.be.at.most(order.length + 1)
      }
    })

    it('a storm of kills, sleeps and restarts breaks no promise', async () => {
      const ledger = newLedger('embedded-storm')
      const happened: string[] = []
      const chance = new Chance(SEED)
      const accepted = await storm({
        fleet,
        trust,
        ledger,
        chance,
        executions: 15,
        faults: 6,
        say: (line) => happened.push(line),
      })
      await fleet.stop()
      const storage = await openStorage({directory: path('embedded/runtime/data')})
      const violations = await findViolations(storage.pool, ledger, accepted).finally(() => storage.close())
      expect(violations, happened.join(', ')).to.deep.equal([])
    })
  })
})
