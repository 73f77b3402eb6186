// Executions survive whatever dies: runtimes, PostgreSQL, the network between them. Every storm is checked afterwards.
// usage: node scripts/fuzz-faults.ts [--seconds N] [--seed S]      (needs a build, and Debian's PostgreSQL)
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import pg from 'pg'
import {Fleet} from '../services/runtime/test/support/faults/fleet.ts'
import {storm} from '../services/runtime/test/support/faults/storm.ts'
import {Trust} from '../services/runtime/test/support/packages.ts'
import {startPostgresql} from '../services/storage/test/support/postgresql.ts'
import {readCampaign, repeat} from './fuzzing.ts'

const database = await startPostgresql()
if (!database?.server) {
  console.log('no PostgreSQL of our own to kill here: apt-get install postgresql, without ATOMCTL_TEST_DATABASE_URL')
  process.exit(0)
}
const {server, url} = database
const directory = mkdtempSync(join(tmpdir(), 'storm-'))
const ledger = join(directory, 'effects')
writeFileSync(ledger, '')
const trust = await Trust.create()
const fleet = await Fleet.start(3, server, directory, trust.policyFile)
const pool = new pg.Pool({connectionString: url})
pool.on('error', () => {})
const say = (line: string): void => console.log(`  ${(performance.now() / 1000).toFixed(1).padStart(7)} s  ${line}`)
const campaign = readCampaign(process.argv.slice(2))
try {
  console.log(`seed ${campaign.seed}`)
  const storms = await repeat(campaign, async (chance) => {
    const options = {fleet, server, pool, trust, ledger, chance, say}
    const violations = await storm({...options, executions: 20, faults: 8})
    if (violations.length > 0)
      throw new Error(`broken; effects and logs are in ${directory}:\n${violations.join('\n')}`)
    say('held')
  })
  console.log(`${storms} storms`)
  rmSync(directory, {recursive: true, force: true})
} finally {
  await pool.end()
  await fleet.stop()
  await database.stop()
}
