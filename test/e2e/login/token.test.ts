import {chmod, readFile, stat, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, filesOf} from '../../support/atomctl.ts'
import {jwtOf, startDouble, startRegistryDouble} from '../../support/issuer.ts'

const TOKEN = 'a-token-that-nobody-may-see'

describe('atomctl login --token-stdin', () => {
  it('keeps the token in a file of mode 0600 where there is no keychain, and uses it for that service', async () => {
    await using sandbox = await createSandbox()
    await using registry = await startRegistryDouble({[TOKEN]: 'ann'})
    const flag = ['--registry-url', registry.url]
    const login = await sandbox.atomctl(['login', '--token-stdin', '--debug', ...flag], {input: `${TOKEN}\n`})
    expect(login.code, login.stderr).to.equal(0)
    expect(login.stdout).to.include(`Logged in to ${registry.url}`)
    expect(login.stderr).to.include('no keychain answers here').and.not.include(TOKEN)
    const file = sandbox.path('.atomctl', 'credentials.json')
    expect((await stat(file)).mode & 0o777).to.equal(0o600)
    const whoami = await sandbox.atomctl(['whoami', '-o', 'json', '--debug', ...flag])
    expect(whoami.stdout + whoami.stderr).to.not.include(TOKEN)
    const {data} = JSON.parse(whoami.stdout) as {data: {name: string; role: string; source: string}[]}
    expect(data).to.have.length(1)
    expect(data[0]).to.include({name: 'ann', role: 'publisher', source: file})
    const logout = await sandbox.atomctl(['logout'])
    expect(logout.stderr).to.include('stays valid')
    expect(await stat(file).catch(() => undefined)).to.equal(undefined)
    expect((await sandbox.atomctl(['whoami', ...flag])).code).to.equal(4)
    expect(await filesOf(sandbox)).to.deep.equal([])
  })

  it('does not keep a token that the service refuses', async () => {
    await using sandbox = await createSandbox()
    await using registry = await startRegistryDouble({})
    const {code, stdout, stderr} = await sandbox.atomctl(['login', '--token-stdin', '--registry-url', registry.url], {
      input: TOKEN,
    })
    expect(code).to.equal(4)
    expect(stdout).to.equal('')
    expect(stderr).to.include('does not know this token').and.not.include(TOKEN)
    expect(await stat(sandbox.path('.atomctl', 'credentials.json')).catch(() => undefined)).to.equal(undefined)
  })

  for (const [what, input] of [
    ['an empty', '\n'],
    ['a token with a blank', 'two words'],
    ['a token with a line break', 'first\nsecond: header'],
    ['a token with a control character', 'bell\u0007bell'],
    ['a token outside ASCII', 'tökentöken'],
  ] as const) {
    it(`refuses ${what} before anything is sent or kept`, async () => {
      await using sandbox = await createSandbox()
      await using registry = await startRegistryDouble({})
      const {code, stderr} = await sandbox.atomctl(['login', '--token-stdin', '--registry-url', registry.url], {input})
      expect(code, stderr).to.equal(2)
      expect(registry.requests).to.deep.equal([])
      expect(stderr).to.include('hint: atomctl login --token-stdin')
      expect(stderr).to.not.include('second').and.not.include('two words')
    })
  }

  it('never sends the token to another origin, nor after a redirect', async () => {
    await using sandbox = await createSandbox()
    await using registry = await startRegistryDouble({[TOKEN]: 'ann'})
    await using thief = await startDouble(() => ({}))
    await sandbox.atomctl(['login', '--token-stdin', '--registry-url', registry.url], {input: TOKEN})
    await sandbox.atomctl(['list', '--registry-url', thief.url])
    expect(thief.requests.length).to.be.greaterThan(0)
    expect(thief.requests.every(({headers}) => headers['authorization'] === undefined)).to.equal(true)
    const before = thief.requests.length
    await using turncoat = await startDouble(() => ({
      'GET /.well-known/atom': () => [302, {}, {location: `${thief.url}/.well-known/atom`}],
    }))
    await sandbox.atomctl(['login', '--token-stdin', '--registry-url', turncoat.url], {input: TOKEN})
    await sandbox.atomctl(['list', '--registry-url', turncoat.url])
    expect(thief.requests).to.have.length(before)
  })

  it('refuses a URL that only a project file names', async () => {
    await using sandbox = await createSandbox()
    await using thief = await startRegistryDouble({})
    await writeFile(sandbox.path('.atomctl.yaml'), `registry_url: ${thief.url}\nruntime_url: ${thief.url}\n`)
    const {code, stderr} = await sandbox.atomctl(['login', '--token-stdin'], {input: TOKEN})
    expect(code).to.equal(2)
    expect(stderr).to.include('.atomctl.yaml')
    expect(thief.requests).to.deep.equal([])
  })

  it('refuses a file that others can read, and one that is damaged; logout --all removes it', async () => {
    await using sandbox = await createSandbox()
    await using registry = await startRegistryDouble({[TOKEN]: 'ann'})
    const flag = ['--registry-url', registry.url]
    const file = sandbox.path('.atomctl', 'credentials.json')
    await sandbox.atomctl(['login', '--token-stdin', ...flag], {input: TOKEN})
    await chmod(file, 0o644)
    const open = await sandbox.atomctl(['whoami', ...flag])
    expect(open.code).to.equal(2)
    expect(open.stderr).to.include('chmod 600')
    await chmod(file, 0o600)
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, -20))
    const broken = await sandbox.atomctl(['list', ...flag])
    expect(broken.code).to.equal(2)
    expect(broken.stderr).to.include('damaged').and.not.include(TOKEN)
    expect((await sandbox.atomctl(['logout', '--all'])).code).to.equal(0)
    expect(await stat(file).catch(() => undefined)).to.equal(undefined)
  })

  it('refuses a token that has expired, and says so when one expires later', async () => {
    await using sandbox = await createSandbox()
    const now = Math.floor(Date.now() / 1000)
    const old = jwtOf({sub: 'ann', iat: now - 7200, exp: now - 3600})
    const flag = ['--registry-url', 'http://127.0.0.1:9']
    const refused = await sandbox.atomctl(['login', '--token-stdin', ...flag], {input: old})
    expect(refused.code).to.equal(4)
    expect(refused.stderr).to.include('expired at').and.not.include(old)
    const file = sandbox.path('.atomctl', 'credentials.json')
    await sandbox.atomctl(['login', '--token-stdin', ...flag], {input: jwtOf({sub: 'ann', exp: now + 3600})})
    const stored = JSON.parse(await readFile(file, 'utf8')) as {credentials: {expiresAt: number}[]}
    for (const credential of stored.credentials) credential.expiresAt = Date.now() - 1000
    await writeFile(file, JSON.stringify(stored))
    const {code, stderr} = await sandbox.atomctl(['list', ...flag])
    expect(code).to.equal(4)
    expect(stderr).to.include('expired at').and.include('hint: atomctl login')
  })

  it('names the flags when there is neither terminal nor input', async () => {
    await using sandbox = await createSandbox()
    const {code, stderr} = await sandbox.atomctl(['login'])
    expect(code).to.equal(2)
    expect(stderr).to.include('--token-stdin')
  })

  it('loses no login when several are made at once', async () => {
    await using sandbox = await createSandbox()
    const ports = [1, 2, 3, 4]
    const login = (port: number): ReturnType<typeof sandbox.atomctl> =>
      sandbox.atomctl(['login', '--token-stdin', '--registry-url', `http://127.0.0.1:${port}`], {input: TOKEN})
    const results = await Promise.all(ports.map((port) => login(port)))
    expect(results.map(({code}) => code)).to.deep.equal([0, 0, 0, 0])
    const {stdout} = await sandbox.atomctl(['logout', '--all', '-o', 'json'])
    expect((JSON.parse(stdout) as {data: unknown[]}).data).to.have.length(4)
  })
})
