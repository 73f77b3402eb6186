import type {ChildProcess} from 'node:child_process'
import {cpSync, readdirSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {expect} from 'chai'
import {startPostgresql, type TestDatabase} from '../../../services/storage/test/support/postgresql.ts'
import {collect, firstLine, Person} from './support/cli.ts'

const EXAMPLE = fileURLToPath(new URL('../../../examples/collect-diagnostics', import.meta.url))

describe('serve registry and serve runtime on one PostgreSQL', function () {
  let database: TestDatabase | undefined
  let person: Person

  before(async function () {
    database = await startPostgresql()
    if (!database) {
      console.log('      no PostgreSQL here: set ATOMCTL_TEST_DATABASE_URL, or apt-get install postgresql')
      return this.skip()
    }
    person = new Person()
  })
  after(async () => {
    await person?.leave()
    await database?.stop()
  })

  const serving: ChildProcess[] = []
  const serve = async (...args: string[]): Promise<Record<string, string>> => {
    const child = person.start(['serve', ...args, '-o', 'json'], {DATABASE_URL: database?.url ?? ''})
    serving.push(child)
    return (JSON.parse(await firstLine(child)) as {data: Record<string, string>}).data
  }

  it('run a package whose files one process received and another one needs', async () => {
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('atomctl-work-'))
    const [registry, runtime] = await Promise.all([
      serve('registry', '--registry-port=0'),
      serve('runtime', '--runtime-port=0'),
    ])
    expect([registry['storage'], runtime['storage']]).to.deep.equal(['PostgreSQL', 'PostgreSQL'])
    const environment = {
      COSIGN_PASSWORD: '',
      ATOMCTL_REGISTRY_URL: registry['registry_url'] ?? '',
      ATOMCTL_RUNTIME_URL: runtime['runtime_url'] ?? '',
      ATOMCTL_AUTH_TOKEN: 'any-token-at-all',
    }
    cpSync(EXAMPLE, join(person.home, 'package'), {recursive: true})
    const commands = [
      ['keys', 'generate', '--trust'],
      ['pack', 'package', '--sign'],
      ['push', 'collect-diagnostics-1.0.0.wpk.tar.gz'],
      ['run', 'collect-diagnostics-1.0.0', '--wait'],
    ]
    for (const command of commands) {
      const {code, stderr} = await person.run(command, environment)
      expect(code, `${command.join(' ')}: ${stderr}`).to.equal(0)
    }
    const ends = serving.map(collect)
    for (const child of serving) child.kill('SIGTERM')
    expect((await Promise.all(ends)).map(({code}) => code)).to.deep.equal([0, 0])
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('atomctl-work-'))).to.deep.equal(before)
  })
})
