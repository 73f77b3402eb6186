import {expect} from 'chai'
import type {Engine} from '../src/engine/engine.ts'
import {SILENT} from '../src/options.ts'
import {Retention} from '../src/retention.ts'
import type {RuntimeTables} from '../src/store/tables.ts'
import {shell} from './support/packages.ts'
import {TestService} from './support/service.ts'
import {STARTUP_MS} from './support/waiting.ts'

describe('retention', () => {
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start()
  })
  after(() => service.stop())

  it('forgets executions that ended long ago, and nothing else', async () => {
    const database = service.storage.database<RuntimeTables>()
    const forgotten: string[] = []
    const engine = {forget: async (ids: readonly string[]) => void forgotten.push(...ids)} as unknown as Engine
    const old = await service.run({handlers: [shell('a', 'echo old')]})
    const young = await service.run({handlers: [shell('a', 'echo young')]})
    const running = await service.started({handlers: [shell('a', 'sleep 30')]})
    const longAgo = new Date(Date.now() - 40 * 86_400_000)
    await database
      .updateTable('runtime_executions')
      .set({completed_at: longAgo})
      .where('id', '=', old.execution_id)
      .execute()
    const retention = new Retention({database, engine, days: 30, logger: SILENT})
    expect(await retention.sweep(new Date())).to.equal(1)
    expect(forgotten).to.deep.equal([old.execution_id])
    expect((await service.request(`/execute/${old.execution_id}`)).status).to.equal(404)
    expect((await service.request(`/execute/${young.execution_id}`)).status).to.equal(200)
    expect((await service.execution(running)).status).to.be.oneOf(['pending', 'running'])
    const left = await database.selectFrom('runtime_events').select('execution_id').distinct().execute()
    expect(left.map((row) => row.execution_id)).to.not.include(old.execution_id)
  })
})
