import {mkdir, readFile, stat, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../../support/atomctl.ts'

describe('config', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const config = (
    args: string[] = [],
    options: {env?: Record<string, string>; input?: string} = {},
  ): Promise<RunResult> => sandbox.atomctl(['config', ...args], options)
  const file = (): string => sandbox.path('.atomctl/config.yaml')
  const write = async (text: string): Promise<void> => {
    await mkdir(sandbox.path('.atomctl'), {recursive: true})
    await writeFile(file(), text)
  }

  it("shows the defaults in the seed's form, writing nothing", async () => {
    const {code, stdout} = await config()
    expect(code).to.equal(0)
    expect(stdout).to.equal(
      [
        'Current Configuration:',
        '  Registry URL: http://localhost:8000',
        '  Runtime URL: http://localhost:4000',
        '  Auth Token: not set',
        '',
      ].join('\n'),
    )
    expect(await stat(file()).catch(() => 'absent')).to.equal('absent')
  })

  it('sets both URLs and the token with a line for each, and never prints the token', async () => {
    const args = [
      '--registry-url',
      'http://r.example',
      '--runtime-url',
      'http://x.example',
      '--auth-token',
      't0ken-value',
    ]
    const {code, stdout, stderr} = await config(args)
    expect(code).to.equal(0)
    expect(stdout.match(/^\[SUCCESS\] /gm)).to.have.length(3)
    expect(stdout).to.contain('Registry URL: http://r.example').and.to.contain('Auth Token: set')
    for (const shown of [
      stdout,
      stderr,
      (await config(['--json'])).stdout,
      (await config(['get', 'auth_token'])).stdout,
    ]) {
      expect(shown).not.to.contain('t0ken-value')
    }
    if (process.platform !== 'win32') expect((await stat(file())).mode & 0o777).to.equal(0o600)
  })

  it('reads a token from standard input, and refuses one that no header can carry', async () => {
    expect((await config(['--auth-token', '-'], {input: 'from-stdin\n'})).code).to.equal(0)
    expect(await readFile(file(), 'utf8')).to.contain('from-stdin')
    for (const input of ['', 'two words', 'naïve']) {
      const {code, stderr} = await config(['set', 'auth_token', '-'], {input})
      expect(code, JSON.stringify(input)).to.equal(2)
      expect(stderr)
        .to.match(/^hint: /m)
        .and.not.to.contain('words')
    }
    expect(await readFile(file(), 'utf8')).to.contain('from-stdin')
  })

  it('keeps comments, order and everything else of the file', async () => {
    await write('# mine\nruntime_url: http://x.example # why\nconnect_timeout: 2s\n')
    await config(['set', 'registry-url', 'http://r.example'])
    const text = await readFile(file(), 'utf8')
    expect(text)
      .to.contain('# mine')
      .and.to.contain('runtime_url: http://x.example # why')
      .and.to.contain('connect_timeout: 2s')
    expect((await config(['unset', 'runtime_url'])).code).to.equal(0)
    expect(await readFile(file(), 'utf8')).not.to.contain('runtime_url')
  })

  it('get prints the value alone, and nothing when there is none', async () => {
    expect((await config(['get', 'registry_url'])).stdout).to.equal('http://localhost:8000\n')
    const none = await config(['get', 'signing_key'])
    expect(none).to.include({code: 0, stdout: ''})
  })

  it('says where each value comes from, the strongest first', async () => {
    await write('registry_url: http://user.example\nruntime_url: http://user.example\n')
    await mkdir(sandbox.path('project'))
    await writeFile(sandbox.path('project/.atomctl.yaml'), 'registry_url: http://project.example\n')
    const options = {cwd: sandbox.path('project'), env: {ATOMCTL_CONNECT_TIMEOUT: '9s'}}
    const {stdout} = await sandbox.atomctl(['config', '--show-origin'], options)
    expect(stdout).to.match(/Registry URL: http:\/\/project\.example {2}\(project: .*\.atomctl\.yaml:1:\d+\)/)
    expect(stdout).to.match(/Runtime URL: http:\/\/user\.example {2}\(user: .*config\.yaml:2:\d+\)/)
    expect(stdout).to.match(/Connect Timeout: 9s {2}\(environment: ATOMCTL_CONNECT_TIMEOUT\)/)
  })

  it('warns when what was written is overridden', async () => {
    const {code, stderr} = await config(['set', 'registry_url', 'http://mine.example'], {
      env: {ATOMCTL_REGISTRY_URL: 'http://theirs.example'},
    })
    expect(code).to.equal(0)
    expect(stderr).to.contain('[WARNING] registry_url is written, but ATOMCTL_REGISTRY_URL overrides it')
  })

  const mistakes: [string, string[], string][] = [
    ['an unknown key', ['set', 'registry_ulr', 'http://x.example'], 'did you mean registry_url?'],
    ['a URL without scheme', ['set', 'registry_url', 'localhost:8000'], 'registry_url'],
    ['a URL with a password', ['--registry-url', 'http://me:secretword@x.example'], 'registry_url'],
    ['a duration without unit', ['set', 'request_timeout', '30'], 'request_timeout'],
    ['retries that are no number', ['set', 'retry_attempts', 'many'], 'retry_attempts'],
    ['an unknown format', ['set', 'output', 'xml'], 'output'],
    ['a context that is not there', ['set', 'registry_url', 'http://x.example', '--context', 'prod'], 'context'],
  ]
  for (const [name, args, words] of mistakes) {
    it(`refuses ${name}, writes nothing, and says how to put it right`, async () => {
      await write('runtime_url: http://x.example\n')
      const {code, stderr} = await config(args)
      expect(code).to.equal(2)
      expect(stderr)
        .to.contain(words)
        .and.to.match(/^hint: /m)
        .and.not.to.contain('secretword')
      expect(await readFile(file(), 'utf8')).to.equal('runtime_url: http://x.example\n')
    })
  }

  const broken: [string, string, RegExp][] = [
    ['is not YAML', 'registry_url: [', /config\.yaml:\d+:\d+/],
    ['has an unknown key', 'registry_ulr: http://x.example\n', /config\.yaml:1:\d+: registry_ulr/],
    ['has a wrong value', 'auth_token: t\nregistry_url: nowhere\n', /config\.yaml:2:\d+: registry_url/],
    ['is a list', '- a\n', /config\.yaml/],
    ['is binary', '\u0000\u0001', /config\.yaml/],
  ]
  for (const [name, text, place] of broken) {
    it(`with a file that ${name} names file, line and key; path, help and version still work`, async () => {
      await write(text)
      const {code, stderr} = await config()
      expect(code).to.equal(2)
      expect(stderr).to.match(place)
      const json = await config(['--json'])
      expect(JSON.parse(json.stdout)).to.have.nested.property('error.code', 'CONFIG_INVALID')
      expect((await config(['path'])).stdout).to.equal(`${file()}\n`)
      expect((await sandbox.atomctl(['help'])).code).to.equal(0)
      expect((await sandbox.atomctl(['--version'])).code).to.equal(0)
      expect(await readFile(file(), 'utf8')).to.equal(text)
    })
  }

  it('takes an empty file for no settings', async () => {
    await write('')
    expect((await config()).stdout).to.contain('http://localhost:8000')
    await write('# nothing yet\n')
    expect((await config(['set', 'output', 'wide'])).code).to.equal(0)
    expect(await readFile(file(), 'utf8'))
      .to.contain('# nothing yet')
      .and.to.contain('output: wide')
  })

  it('puts a wrong value right with set', async () => {
    await write('registry_url: nowhere\n')
    expect((await config(['set', 'registry_url', 'http://x.example'])).code).to.equal(0)
    expect((await config(['get', 'registry_url'])).stdout).to.equal('http://x.example\n')
  })

  it('says that the configuration is a directory', async () => {
    await mkdir(file(), {recursive: true})
    for (const args of [[], ['set', 'output', 'wide']]) {
      const {code, stderr} = await config(args)
      expect(code).to.be.oneOf([1, 2])
      expect(stderr).to.contain('directory')
    }
  })
})
