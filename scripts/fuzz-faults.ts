// Executions survive whatever dies: runtimes, PostgreSQL, the network between them. Every storm is checked afterwards.
// usage: node scripts/fuzz-faults.ts [--seconds N] [--seed S]      (needs a build, and Debian's PostgreSQL)
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import pg from 'pg'
import {Fleet} from '../services/runtime/test/support/faults/fleet.ts'
import {findViolations} from '../services/runtime/test/support/faults/invariants.ts'
import {storm} from '../services/runtime/test/support/faults/storm.ts'
import {Trust} from '../services/runtime/test/support/packages.ts'
import {startPostgresql} from '../services/storage/test/support/postgresql.ts'
import {readCampaign, repeat} from './fuzzing.ts'

const campaign = readCampaign(process.argv.slice(2))
const database = await startPostgresql()
if (!database?.server) {
  console.log('no PostgreSQL of our own to kill here: apt-get install postgresql, without ATOMCTL_TEST_DATABASE_URL')
  process.exit(0)
}
const {server, url} = database
const directory = mkdtempSync(join(tmpdir(), 'storm-'))
const trust = await Trust.create()
const fleet = await Fleet.start(3, server, directory, trust.policyFile)
const say = (line: string): void => console.log(`${(performance.now() / 1000).toFixed(1).padStart(8)} s  ${line}`)
try {
  say(`seed ${campaign.seed}`)
  const storms = await repeat(campaign, async (chance) => {
    const ledger = join(directory, 'effects')
    writeFileSync(ledger, '')
    const accepted = await storm({fleet, server, trust, ledger, chance, say, executions: 20, faults: 8})
    const pool = new pg.Pool({connectionString: url})
    const violations = await findViolations(pool, ledger, accepted).finally(() => pool.end())
    if (violations.length > 0)
      throw new Error(`broken; effects and logs are in ${directory}:\n${violations.join('\n')}`)
    say('held')
  })
  console.log(`${storms} storms`)
  rmSync(directory, {recursive: true, force: true})
} finally {
  await fleet.stop()
  await database.stop()
}
