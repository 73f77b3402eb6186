import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdirSync, readdirSync, readFileSync, statSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect} from 'chai'
import {identifyProcess} from '../src/process.ts'
import {collect, type Ended, firstLine, occupyPort, Person} from './support/cli.ts'

const mode = (path: string): number => statSync(path).mode & 0o777

// The machine may be busy, and each start is a whole database.
const PATIENCE = 120_000

describe('dev up, status and down', function () {
  this.timeout(PATIENCE)
  let person: Person
  let up: Ended
  before(async () => {
    person = new Person()
    // DATABASE_URL belongs to whatever application is being worked on
    const environment = {DATABASE_URL: 'postgresql://127.0.0.1:1/application'}
    up = await person.run(['dev', 'up', '--registry-port', '0', '--runtime-port', '0'], environment)
  })
  after(() => person.leave())

  it('start both services on the embedded database and say where they are and how to stop them', () => {
    expect(up.code, up.stderr).to.equal(0)
    expect(up.stdout).to.match(/Registry: http:\/\/127\.0\.0\.1:\d+\n {2}Runtime: http:\/\/127\.0\.0\.1:\d+\n/)
    expect(up.stdout).to.contain('Context: dev (current)').and.to.contain('Stop: atomctl dev down')
  })

  it('write a context that commands use at once, with a token the services know only by digest', async () => {
    const token = readFileSync(join(person.dev, 'token'), 'utf8').trim()
    const [registry] = (await person.status()).services
    const guest = await fetch(`${registry?.url}/workflows`)
    const owner = await fetch(`${registry?.url}/workflows`, {headers: {authorization: `Bearer ${token}`}})
    expect([guest.status, owner.status]).to.deep.equal([401, 200])
    expect(readFileSync(join(person.home, '.atomctl', 'config.yaml'), 'utf8')).to.contain(token)
    const names = ['state.json', 'services.log', 'token.sha256']
    expect(names.map((name) => readFileSync(join(person.dev, name), 'utf8')).join()).not.to.contain(token)
    expect(await person.run(['list'])).to.include({code: 0, stdout: 'No workflows found in registry\n'})
  })

  it('keep everything to its owner', function () {
    if (process.platform === 'win32') this.skip()
    expect(mode(person.dev)).to.equal(0o700)
    for (const name of ['token', 'token.sha256', 'state.json', 'services.log']) {
      expect(mode(join(person.dev, name)), name).to.equal(0o600)
    }
    expect(mode(join(person.home, '.atomctl', 'config.yaml'))).to.equal(0o600)
  })

  it('say that they already run when told to start again', async () => {
    const {pid} = await person.status()
    const again = await person.run(['dev', 'up'])
    expect(again.code).to.equal(0)
    expect(again.stdout).to.match(/^The services already run\n {2}Registry: http/)
    expect((await person.status()).pid).to.equal(pid)
  })

  it('take little memory while nothing runs', async function () {
    if (process.platform === 'win32') this.skip()
    expect((await person.status()).rss_bytes).to.be.below(350 * 2 ** 20)
  })

  it('end when they are told to, and are told of as ended', async () => {
    const {pid, services} = await person.status()
    expect(services.map(({name, health}) => `${name} ${health}`)).to.deep.equal(['registry healthy', 'runtime healthy'])
    expect(await person.run(['dev', 'down'])).to.include({
      code: 0,
      stdout: '[SUCCESS] Registry and runtime stopped\n',
    })
    expect(await identifyProcess(pid)).to.equal(undefined)
    expect(await person.run(['dev', 'status'])).to.include({code: 6, stdout: ''})
    expect(await person.run(['dev', 'down'])).to.include({code: 0, stdout: 'Nothing runs\n'})
  })
})

describe('dev up after and beside others', function () {
  this.timeout(PATIENCE)
  let person: Person
  beforeEach(() => (person = new Person()))
  afterEach(() => person.leave())

  it('let one of several simultaneous starts win, and the others say that they run', async () => {
    const ups = await Promise.all([person.up(), person.up(), person.up()])
    expect(
      ups.map(({code}) => code),
      ups.map(({stderr}) => stderr).join(),
    ).to.deep.equal([0, 0, 0])
    expect(ups.filter(({stdout}) => stdout.startsWith('The services already run'))).to.have.length(2)
    expect(new Set(ups.map(({stdout}) => /Registry: (\S+)/.exec(stdout)?.[1])).size).to.equal(1)
    expect(readdirSync(person.dev).filter((name) => name.startsWith('services.log'))).to.deep.equal(['services.log'])
  })

  it('start anew on the same data after the process was killed', async () => {
    await person.up()
    const {pid} = await person.status()
    process.kill(pid, 'SIGKILL')
    expect(await person.run(['dev', 'status'])).to.include({code: 6})
    const up = await person.up()
    expect(up.stdout).to.match(/^\[SUCCESS\] Registry and runtime are ready/)
    expect((await person.status()).pid).not.to.equal(pid)
  })

  it('leave a foreign process alone that got the number of a dead one', async () => {
    await person.up()
    await person.run(['dev', 'down'])
    const stranger = spawn('sleep', ['60'])
    const state = {pid: stranger.pid, started: '1', boot: 'other', registry_url: 'http://x', runtime_url: 'http://y'}
    const rest = {data_directory: '/nowhere', version: '1.0.0', ready_at: '2026-01-01T00:00:00Z'}
    writeFileSync(join(person.dev, 'state.json'), JSON.stringify({...state, ...rest}))
    try {
      expect(await person.run(['dev', 'status'])).to.include({code: 6})
      expect(await person.run(['dev', 'down'])).to.include({code: 0, stdout: 'Nothing runs\n'})
      expect(stranger.exitCode ?? stranger.signalCode).to.equal(null)
    } finally {
      stranger.kill()
      await once(stranger, 'close')
    }
  })

  for (const [what, text] of Object.entries({empty: '', 'cut off': '{"pid": 12', 'something else': '[null]'})) {
    it(`take a state file that is ${what} for no services`, async () => {
      mkdirSync(person.dev, {recursive: true})
      writeFileSync(join(person.dev, 'state.json'), text)
      expect(await person.run(['dev', 'status'])).to.include({code: 6})
    })
  }
})

describe('dev up that cannot start', function () {
  this.timeout(PATIENCE)
  let person: Person
  beforeEach(() => (person = new Person()))
  afterEach(() => person.leave())

  it('starts nothing when the configuration is broken', async () => {
    mkdirSync(join(person.home, '.atomctl'), {recursive: true})
    writeFileSync(join(person.home, '.atomctl', 'config.yaml'), 'registry_url: [\n')
    const up = await person.up()
    expect(up.code).to.equal(2)
    expect(up.stderr).to.contain('config.yaml')
    expect(await person.run(['dev', 'status'])).to.include({code: 6})
  })

  it('says in words why it cannot keep its things', async () => {
    writeFileSync(join(person.home, '.atomctl'), 'a file')
    const up = await person.up()
    expect(up.code).to.equal(1)
    expect(up.stderr).to.match(/cannot write .*: (a part of the path is not a directory|it exists already)/)
  })

  it('names the port that is in use and how to choose another', async () => {
    const {port, server} = await occupyPort()
    const up = await person.run(['dev', 'up', '--registry-port', '0', '--runtime-port', String(port)])
    server.close()
    expect(up.code).to.equal(7)
    expect(up.stderr).to.contain(`port ${port} for the runtime is in use`).and.to.contain('--runtime-port 0')
    expect(await person.run(['dev', 'status'])).to.include({code: 6})
  })

  it('shows what the services printed, and leaves none running', async () => {
    const data = join(person.home, 'data')
    mkdirSync(join(data, 'pgdata'), {recursive: true})
    writeFileSync(join(data, 'pgdata', 'PG_VERSION'), '9.6\n')
    const up = await person.up('--data-dir', data)
    expect(up.code).to.be.oneOf([7, 9])
    expect(up.stderr).to.contain('the services did not start').and.to.contain('last lines of the log')
    expect(up.stderr).to.contain(data)
    expect(await person.run(['dev', 'status'])).to.include({code: 6})
    expect(readdirSync(person.dev).filter((name) => name.startsWith('services.log'))).to.deep.equal([])
  })

  it('says who has the data directory open', async () => {
    const data = join(person.home, 'data')
    const serving = person.start([
      'serve',
      'all',
      '-o',
      'json',
      '--data-dir',
      data,
      '--registry-port=0',
      '--runtime-port=0',
    ])
    await firstLine(serving)
    const up = await person.up('--data-dir', data)
    expect(up.code).to.equal(7)
    expect(up.stderr).to.contain(`is in use by process ${serving.pid}`)
    serving.kill('SIGTERM')
    expect((await collect(serving)).code).to.equal(0)
  })

  for (const signals of [['SIGINT', 'SIGINT'], ['SIGTERM']] as NodeJS.Signals[][]) {
    it(`leaves nothing running after ${signals.join(' and ')}`, async () => {
      const up = person.start(['dev', 'up', '--registry-port', '0', '--runtime-port', '0'])
      const ended = collect(up)
      // the log of the attempt appears with the process it belongs to
      while (!listing(person.dev).some((name) => name.startsWith('services.log.'))) await new Promise(setImmediate)
      for (const signal of signals) up.kill(signal)
      expect(await ended).to.include({code: signals[0] === 'SIGINT' ? 130 : 143})
      expect(await person.run(['dev', 'status'])).to.include({code: 6})
      expect(listing(person.dev).filter((name) => name.startsWith('services.log'))).to.deep.equal([])
    })
  }
})

describe('dev reset', function () {
  this.timeout(PATIENCE)
  let person: Person
  beforeEach(() => (person = new Person()))
  afterEach(() => person.leave())

  it('needs --yes where nobody can be asked', async () => {
    const reset = await person.run(['dev', 'reset'])
    expect(reset.code).to.equal(2)
    expect(reset.stderr).to.contain('--yes')
  })

  it('stops the services and deletes their data, and nothing else', async () => {
    const data = join(person.home, 'data')
    await person.up('--data-dir', data)
    writeFileSync(join(data, 'notes.txt'), 'mine')
    const reset = await person.run(['dev', 'reset', '--yes'])
    expect(reset.code, reset.stderr).to.equal(0)
    expect(reset.stdout).to.contain(`Data deleted: ${data}`)
    expect(readdirSync(data)).to.deep.equal(['notes.txt'])
    expect(await person.run(['dev', 'status'])).to.include({code: 6})
  })

  it('refuses while another process has the data open', async () => {
    const data = join(person.home, 'data')
    const serving = person.start([
      'serve',
      'all',
      '-o',
      'json',
      '--data-dir',
      data,
      '--registry-port=0',
      '--runtime-port=0',
    ])
    await firstLine(serving)
    const reset = await person.run(['dev', 'reset', '--yes', '--data-dir', data])
    expect(reset.code).to.equal(7)
    expect(readdirSync(data)).to.contain('pgdata')
  })
})

function listing(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
