import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

// No test may read or write the configuration of the person who runs it.
const home = mkdtempSync(join(tmpdir(), 'atomctl-test-'))
process.env['HOME'] = home
process.env['NO_COLOR'] = '1'
process.env['CI'] = '1'
for (const name of Object.keys(process.env)) if (name.startsWith('ATOMCTL_')) delete process.env[name]

export const mochaHooks = {
  afterAll(): void {
    rmSync(home, {recursive: true, force: true})
  },
}
