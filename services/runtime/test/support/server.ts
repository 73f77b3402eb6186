// A runtime in a process of its own, for tests that kill it. Arguments: directory, trust policy, PostgreSQL URL or none.
import {appendFileSync} from 'node:fs'
import {join} from 'node:path'
import {inspect} from 'node:util'
import {openStorage} from '@atomctl/storage'
import {loadTrustPolicy} from '@atomctl/wpk/trust'
import {createRuntime} from '../../src/index.ts'

const logFile = process.env['ATOMCTL_TEST_LOG']
const write = (level: string) => (details: object, message: string) => {
  if (logFile)
    appendFileSync(logFile, `${new Date().toISOString()} ${process.pid} ${level} ${message} ${inspect(details)}\n`)
}
const [directory = '', policyFile = '', databaseUrl] = process.argv.slice(2)
const storage = await openStorage(databaseUrl ? {databaseUrl} : {directory: join(directory, 'data')})
const runtime = await createRuntime({
  storage,
  trustPolicy: () => loadTrustPolicy(policyFile),
  workDirectory: join(directory, 'work'),
  version: '0.0.0',
  environment: {PATH: process.env['PATH'], DOCKER_HOST: process.env['DOCKER_HOST']},
  leaseMs: Number(process.env['ATOMCTL_TEST_LEASE_MS'] ?? 15_000),
  drainMs: 200,
  killGraceMs: 200,
  singleUser: true,
  logger: {info: write('info'), warn: write('warn'), error: write('error')},
})
process.once('SIGTERM', () => {
  void runtime
    .close()
    .then(() => storage.close())
    .then(() => process.exit(0))
})
console.log(await runtime.app.listen({port: 0, host: '127.0.0.1'}))
