import {hash} from 'node:crypto'
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect} from 'chai'
import {collect, firstLine, occupyPort, Person} from './support/cli.ts'

const TOKEN = 'a-token-of-some-length'
const FREE = ['--registry-port=0', '--runtime-port=0']

describe('serve all', function () {
  this.timeout(60_000)
  let person: Person
  beforeEach(() => (person = new Person()))
  afterEach(() => person.leave())

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`tells its URLs in one line of JSON and ends with 0 on ${signal}`, async () => {
      const serving = person.start(['serve', 'all', ...FREE, '-o', 'json'])
      const {kind, data} = JSON.parse(await firstLine(serving))
      expect(kind).to.equal('Services')
      for (const url of [data.registry_url, data.runtime_url]) {
        expect(await (await fetch(`${url}/health`)).json()).to.include({status: 'healthy'})
      }
      const ended = collect(serving)
      serving.kill(signal)
      expect((await ended).code).to.equal(0)
    })
  }

  it('accepts the tokens of the file, as they are or as digests, and no others', async () => {
    const file = join(person.home, 'tokens')
    writeFileSync(file, `# ours\n${TOKEN}\nsha256:${hash('sha256', 'another-token-of-length', 'hex')}\n`)
    const serving = person.start(['serve', 'all', ...FREE, '-o', 'json', '--token-file', file])
    const {data} = JSON.parse(await firstLine(serving))
    const statuses: number[] = []
    for (const token of [TOKEN, 'another-token-of-length', 'a-token-nobody-knows']) {
      const headers = {authorization: `Bearer ${token}`}
      for (const path of [`${data.registry_url}/workflows`, `${data.runtime_url}/executions`]) {
        statuses.push((await fetch(path, {headers})).status)
      }
    }
    expect(statuses).to.deep.equal([200, 200, 200, 200, 401, 401])
  })

  it('names the port that is in use', async () => {
    const {port, server} = await occupyPort()
    const serving = await person.run(['serve', 'all', '--registry-port', String(port), '--runtime-port', '0'])
    server.close()
    expect(serving.code).to.equal(7)
    expect(serving.stderr).to.contain(`port ${port} for the registry is in use`).and.to.contain('--registry-port')
  })

  const refused: [string, string[], RegExp][] = [
    ['an address other machines reach without tokens', [...FREE, '--host=0.0.0.0'], /--token-file/],
    ['one port for both services', ['--registry-port=18998', '--runtime-port=18998'], /both have port 18998/],
    ['a port that is no port', ['--registry-port=70000'], /65535/],
    ['a token file that is not there', [...FREE, '--token-file=nowhere'], /token file nowhere/],
    ['a safety policy that is not there', [...FREE, '--safety-policy=nowhere.yaml'], /nowhere\.yaml/],
    ['a trust policy that is not there', [...FREE, '--trust-policy=nowhere.yaml'], /nowhere\.yaml/],
  ]
  for (const [what, args, pattern] of refused) {
    it(`refuses ${what}`, async () => {
      const serving = await person.run(['serve', 'all', ...args])
      expect(serving.code).to.equal(2)
      expect(serving.stderr).to.match(pattern)
    })
  }

  it('refuses an address that is not of this machine', async () => {
    const file = join(person.home, 'tokens')
    writeFileSync(file, TOKEN)
    const ports = ['--registry-port=18997', '--runtime-port=18999']
    const serving = await person.run(['serve', 'all', ...ports, '--host=192.0.2.1', '--token-file', file])
    expect(serving.code).to.equal(2)
    expect(serving.stderr).to.contain('192.0.2.1 is no address of this machine')
  })
})

describe('serve registry and serve runtime', function () {
  this.timeout(60_000)
  let person: Person
  beforeEach(() => (person = new Person()))
  afterEach(() => person.leave())

  for (const service of ['registry', 'runtime']) {
    it(`${service} needs DATABASE_URL and says what to do without`, async () => {
      const serving = await person.run(['serve', service])
      expect(serving.code).to.equal(2)
      expect(serving.stderr).to.contain('DATABASE_URL').and.to.contain('atomctl serve all')
    })

    it(`${service} reports a database that does not answer, without its password`, async () => {
      const {port, server} = await occupyPort()
      server.close()
      const url = `postgresql://atom:hunter2@127.0.0.1:${port}/atom`
      const serving = await person.run(['serve', service, `--${service}-port=0`], {DATABASE_URL: url})
      expect(serving.code).to.be.oneOf([7, 9])
      expect(serving.stderr)
        .to.match(/\[ERROR\]/)
        .and.not.to.contain('hunter2')
    })
  }
})
