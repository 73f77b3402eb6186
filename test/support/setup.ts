import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import fc from 'fast-check'

// No test may read or write the configuration of the person who runs it.
const home = mkdtempSync(join(tmpdir(), 'atomctl-test-'))
process.env['HOME'] = home
process.env['NO_COLOR'] = '1'
process.env['CI'] = '1'
// … except what is meant for the tests themselves
const ours = new Set([
  'ATOMCTL_BIN',
  'ATOMCTL_COSIGN',
  'ATOMCTL_TEST_DATABASE_URL',
  'ATOMCTL_TEST_SEED',
  'ATOMCTL_VECTORS',
])
for (const name of Object.keys(process.env))
  if (name.startsWith('ATOMCTL_') && !ours.has(name)) delete process.env[name]

// The same cases for everybody: a run that fails can be run again. scripts/fuzz-*.ts look for new ones.
fc.configureGlobal({seed: Number(process.env['ATOMCTL_TEST_SEED'] ?? 20_261_123)})

export const mochaHooks = {
  afterAll(): void {
    rmSync(home, {recursive: true, force: true})
  },
}
