import {dirname} from 'node:path'
import {startServer} from './server.ts'
import {loadTrustPolicy} from '@atomctl/wpk/trust'

// Serves a directory, or a PostgreSQL database by its URL, until it is killed; the first line on stdout is its URL.
const [, , place = '', policyFile = ''] = process.argv
const server = await startServer(await loadTrustPolicy(policyFile), {
  ...(place.startsWith('postgresql:') ? {databaseUrl: place} : {directory: place}),
  spoolDirectory: dirname(policyFile),
})
process.stdout.write(`${server.url}\n`)

// Asked for it, tells the most memory it ever held, in bytes.
process.on('message', () => process.send?.(process.resourceUsage().maxRSS * 1024))
