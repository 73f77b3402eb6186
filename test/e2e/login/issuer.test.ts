import {chmod, mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../../support/atomctl.ts'
import {type Answer, jwtOf, startDouble, startIssuer, startRegistryDouble} from '../../support/issuer.ts'

const ACCESS = 'access-token-one'
const NEXT = 'access-token-two'
const REFRESH = 'refresh-token-secret'
const OWNERS = {[ACCESS]: 'ann', [NEXT]: 'ann'}

function grant(token: string, more: object = {}): Answer {
  return [200, {access_token: token, token_type: 'Bearer', expires_in: 3600, refresh_token: REFRESH, ...more}]
}

async function expireLogins(sandbox: Sandbox): Promise<void> {
  const file = sandbox.path('.atomctl', 'credentials.json')
  const stored = JSON.parse(await readFile(file, 'utf8')) as {credentials: {expiresAt: number}[]}
  for (const credential of stored.credentials) credential.expiresAt = Date.now() - 1000
  await writeFile(file, JSON.stringify(stored))
}

describe('atomctl login --issuer', () => {
  it('shows address and code on stderr, waits for the person, refreshes once for two commands, and revokes', async () => {
    await using sandbox = await createSandbox()
    await using registry = await startRegistryDouble(OWNERS)
    await using issuer = await startIssuer((form, count) => {
      if (form.get('grant_type') === 'refresh_token') return grant(NEXT)
      return count === 1 ? [400, {error: 'authorization_pending'}] : grant(ACCESS)
    })
    const flag = ['--registry-url', registry.url]
    const how = ['--issuer', issuer.url, '--client-id', 'atomctl', '--debug']
    const login = await sandbox.atomctl(['login', ...how, ...flag])
    expect(login.code, login.stderr).to.equal(0)
    expect(login.stderr).to.include(`Open ${issuer.url}/enter and enter the code WDJB-MJHT`)
    for (const secret of [ACCESS, REFRESH, 'device-secret']) expect(login.stdout + login.stderr).to.not.include(secret)

    await expireLogins(sandbox)
    const both = await Promise.all([sandbox.atomctl(['whoami', ...flag]), sandbox.atomctl(['whoami', ...flag])])
    expect(
      both.map(({code}) => code),
      both[0].stderr + both[1].stderr,
    ).to.deep.equal([0, 0])
    const refreshes = issuer.forms('/token').filter((form) => form.get('grant_type') === 'refresh_token')
    expect(refreshes).to.have.length(1)

    const logout = await sandbox.atomctl(['logout'])
    expect(logout.stdout).to.include('token revoked')
    expect(issuer.forms('/revoke')[0]?.get('token')).to.equal(REFRESH)
    expect(await readdir(sandbox.path('.atomctl'))).to.deep.equal([])
  })

  it('ends with 4 and the way out when the refresh token is good no more', async () => {
    await using sandbox = await createSandbox()
    await using registry = await startRegistryDouble(OWNERS)
    await using issuer = await startIssuer((form) =>
      form.get('grant_type') === 'refresh_token'
        ? [400, {error: 'invalid_grant', error_description: REFRESH}]
        : grant(ACCESS),
    )
    const flag = ['--registry-url', registry.url]
    await sandbox.atomctl(['login', '--issuer', issuer.url, '--client-id', 'atomctl', ...flag])
    await expireLogins(sandbox)
    const {code, stderr} = await sandbox.atomctl(['list', ...flag])
    expect(code).to.equal(4)
    expect(stderr).to.include('invalid_grant').and.include('hint: atomctl login').and.not.include(REFRESH)
  })

  it('shows nothing of what a failing issuer echoes', async () => {
    await using sandbox = await createSandbox({ATOMCTL_RETRY_ATTEMPTS: '1'})
    await using registry = await startRegistryDouble(OWNERS)
    await using issuer = await startIssuer((form) =>
      form.get('grant_type') === 'refresh_token' ? [500, {detail: `cannot take ${REFRESH}`}] : grant(ACCESS),
    )
    const flag = ['--registry-url', registry.url]
    await sandbox.atomctl(['login', '--issuer', issuer.url, '--client-id', 'atomctl', ...flag])
    await expireLogins(sandbox)
    const {code, stdout, stderr} = await sandbox.atomctl(['list', '--debug', '-o', 'json', ...flag])
    expect(code).to.not.equal(0)
    expect(issuer.forms('/token').some((form) => form.get('refresh_token') === REFRESH)).to.equal(true)
    expect(stdout + stderr)
      .to.include('500')
      .and.not.include(REFRESH)
  })

  for (const [error, says] of [
    ['access_denied', 'denied'],
    ['expired_token', 'not entered in time'],
    ['invalid_client', 'invalid_client'],
  ] as const) {
    it(`says what ${error} means and keeps nothing`, async () => {
      await using sandbox = await createSandbox()
      await using issuer = await startIssuer(() => [400, {error}])
      const {code, stderr} = await sandbox.atomctl(['login', '--issuer', issuer.url, '--client-id', 'x'])
      expect(code).to.equal(4)
      expect(stderr).to.include(says)
    })
  }

  const lies: [string, object, string][] = [
    ['names another issuer', {issuer: 'https://other.example.com'}, 'another name'],
    ['sends the token over plain http', {token_endpoint: 'http://other.example.com/token'}, 'http'],
    ['offers no device flow', {device_authorization_endpoint: undefined}, 'no device flow'],
  ]
  for (const [what, overrides, says] of lies) {
    it(`refuses an issuer that ${what}`, async () => {
      await using sandbox = await createSandbox()
      await using issuer = await startIssuer(() => grant(ACCESS), overrides)
      const {code, stderr} = await sandbox.atomctl(['login', '--issuer', issuer.url, '--client-id', 'x'])
      expect(code, stderr).to.equal(4)
      expect(stderr).to.include(says)
      expect(issuer.forms('/token')).to.deep.equal([])
    })
  }

  const nonsense: [string, Answer, number][] = [
    ['no JSON', [200, '{"issuer": '], 9],
    ['another shape', [200, {issuer: 5}], 9],
    ['far too much', [200, {issuer: 'x'.repeat(1 << 20)}], 9],
    ['a redirect elsewhere', [302, {}, {location: 'http://127.0.0.1:1/'}], 6],
    ['nothing there', [404, {}], 4],
  ]
  for (const [what, answer, exit] of nonsense) {
    it(`is not taken in by a discovery document of ${what}`, async () => {
      await using sandbox = await createSandbox()
      await using issuer = await startDouble(() => ({'GET /.well-known/openid-configuration': () => answer}))
      const {code, stderr} = await sandbox.atomctl(['login', '--issuer', issuer.url, '--client-id', 'x'])
      expect(code, stderr).to.equal(exit)
    })
  }

  it('refuses an http issuer that is not this machine, without asking it', async () => {
    await using sandbox = await createSandbox()
    const {code, stderr} = await sandbox.atomctl(['login', '--issuer', 'http://id.example.com', '--client-id', 'x'])
    expect(code).to.equal(2)
    expect(stderr).to.include('https')
  })

  it('does not wait for ever for an issuer that hangs', async () => {
    await using sandbox = await createSandbox({ATOMCTL_REQUEST_TIMEOUT: '300ms', ATOMCTL_RETRY_ATTEMPTS: '1'})
    await using issuer = await startDouble(() => ({
      'GET /.well-known/openid-configuration': () => [200, '{', {'content-length': '1000'}],
    }))
    const {code} = await sandbox.atomctl(['login', '--issuer', issuer.url, '--client-id', 'x'])
    expect(code).to.equal(9)
  })
})

describe('atomctl login --ci', () => {
  it("exchanges the job's token at the issuer (RFC 8693)", async () => {
    await using sandbox = await createSandbox()
    await using registry = await startRegistryDouble(OWNERS)
    await using issuer = await startIssuer(() => grant(ACCESS, {token_type: 'N_A', refresh_token: undefined}))
    const job = jwtOf({sub: 'repo:acme/runbooks', exp: Math.floor(Date.now() / 1000) + 600})
    await using github = await startDouble(() => ({'GET /token': () => [200, {value: job}]}))
    const env = {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${github.url}/token?v=1`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner-secret',
    }
    const how = ['--ci', '--issuer', issuer.url, '--audience', 'registry', '--registry-url', registry.url, '--debug']
    const {code, stdout, stderr} = await sandbox.atomctl(['login', ...how], {env})
    expect(code, stderr).to.equal(0)
    expect(github.requests[0]?.url).to.include('audience=registry')
    const [form] = issuer.forms('/token')
    expect(form?.get('grant_type')).to.equal('urn:ietf:params:oauth:grant-type:token-exchange')
    expect(form?.get('subject_token')).to.equal(job)
    expect(form?.get('audience')).to.equal('registry')
    for (const secret of [job, ACCESS, 'runner-secret']) expect(stdout + stderr).to.not.include(secret)
  })

  it('uses the token of a GitLab job as it is without an issuer', async () => {
    await using sandbox = await createSandbox()
    const job = jwtOf({
      sub: 'project_path:acme/x',
      iss: 'https://gitlab.example.com',
      exp: Math.floor(Date.now() / 1000) + 600,
    })
    await using registry = await startRegistryDouble({[job]: 'acme'})
    const {code, stderr} = await sandbox.atomctl(['login', '--ci', '--registry-url', registry.url], {
      env: {ATOMCTL_ID_TOKEN: job},
    })
    expect(code, stderr).to.equal(0)
    const {stdout} = await sandbox.atomctl(['whoami', '--registry-url', registry.url])
    expect(stdout).to.include('acme (publisher)').and.include('https://gitlab.example.com').and.not.include(job)
  })

  it('says how to give a job an identity when it has none', async () => {
    await using sandbox = await createSandbox()
    const {code, stderr} = await sandbox.atomctl(['login', '--ci'])
    expect(code).to.equal(4)
    expect(stderr).to.include('id-token: write')
  })
})

describe('atomctl login --vault', () => {
  it('reads a token with an AppRole, and ends the Vault token it needed for that', async () => {
    await using sandbox = await createSandbox()
    await using registry = await startRegistryDouble(OWNERS)
    await using vault = await startDouble(() => ({
      'POST /v1/auth/approle/login': () => [200, {auth: {client_token: 'hvs.short'}}],
      'GET /v1/secret/data/atomctl': ({headers}) =>
        headers['x-vault-token'] === 'hvs.short' ? [200, {data: {data: {token: ACCESS}}}] : [403, {errors: ['denied']}],
      'POST /v1/auth/token/revoke-self': () => [200, {}],
    }))
    await writeFile(sandbox.path('secret-id'), 'the-secret-id\n')
    const how = ['--vault', '--vault-addr', vault.url, '--vault-auth', 'approle', '--vault-role', 'role-1']
    const what = ['--vault-credential', '@secret-id', '--vault-secret', 'secret/data/atomctl#token']
    const {code, stdout, stderr} = await sandbox.atomctl([
      'login',
      ...how,
      ...what,
      '--debug',
      '--registry-url',
      registry.url,
    ])
    expect(code, stderr).to.equal(0)
    expect(JSON.parse(String(vault.requests[0]?.body))).to.deep.equal({role_id: 'role-1', secret_id: 'the-secret-id'})
    expect(vault.requests.at(-1)?.url).to.equal('/v1/auth/token/revoke-self')
    expect(registry.requests.every(({headers}) => headers['x-vault-token'] === undefined)).to.equal(true)
    for (const secret of ['hvs.short', ACCESS, 'the-secret-id']) expect(stdout + stderr).to.not.include(secret)
  })

  it("takes each of Vault's flags to mean Vault, and no plain http to another machine", async () => {
    await using sandbox = await createSandbox()
    const secret = ['--vault-secret', 'secret/data/atomctl#token']
    const plain = await sandbox.atomctl(['login', '--vault-addr', 'http://vault.example.com', ...secret], {
      input: 'a-token',
    })
    expect(plain.code, plain.stderr).to.equal(2)
    expect(plain.stderr).to.include('http, which anybody on the way can read')
    const both = await sandbox.atomctl(['login', '--token-stdin', '--vault-role', 'ci'], {input: 'a-token'})
    expect(both.code).to.equal(2)
    expect(both.stderr).to.include('several ways to log in')
  })

  it('has Vault sign a token, renews its own and signs the next, and revokes at logout', async () => {
    await using sandbox = await createSandbox()
    await using registry = await startRegistryDouble(OWNERS)
    let minted = 0
    await using vault = await startDouble(() => ({
      'POST /v1/auth/jwt/login': () => [200, {auth: {client_token: 'hvs.long'}}],
      'GET /v1/identity/oidc/token/atomctl': () => [200, {data: {token: minted++ === 0 ? ACCESS : NEXT, ttl: 3600}}],
      'POST /v1/auth/token/renew-self': () => [200, {auth: {client_token: 'hvs.long'}}],
      'POST /v1/auth/token/revoke-self': () => [200, {}],
    }))
    const env = {
      VAULT_ADDR: vault.url,
      ATOMCTL_ID_TOKEN: jwtOf({sub: 'job', exp: Math.floor(Date.now() / 1000) + 600}),
    }
    const how = ['--vault', '--vault-auth', 'jwt', '--vault-role', 'ci', '--vault-oidc-role', 'atomctl']
    const flag = ['--registry-url', registry.url]
    expect((await sandbox.atomctl(['login', ...how, ...flag], {env})).code).to.equal(0)
    await expireLogins(sandbox)
    const whoami = await sandbox.atomctl(['whoami', ...flag])
    expect(whoami.code, whoami.stderr).to.equal(0)
    expect(vault.requests.map(({url}) => url)).to.include('/v1/auth/token/renew-self')
    expect(registry.requests.at(-1)?.headers['authorization']).to.equal(`Bearer ${NEXT}`)
    expect((await sandbox.atomctl(['logout'])).stdout).to.include('token revoked')
    expect(vault.requests.at(-1)?.headers['x-vault-token']).to.equal('hvs.long')
  })

  const wrong: [string, string[], number, string][] = [
    ['without a place for the token', ['--vault-addr', 'https://v.test'], 2, '--vault-secret'],
    ['without an address', ['--vault-secret', 'a/b'], 2, 'VAULT_ADDR'],
    ['over plain http', ['--vault-addr', 'http://v.test', '--vault-secret', 'a/b'], 2, 'http'],
    [
      'with a secret in an argument',
      [
        '--vault-addr',
        'https://v.test',
        '--vault-secret',
        'a/b',
        '--vault-auth',
        'jwt',
        '--vault-role',
        'r',
        '--vault-credential',
        'eyJhbGciOi',
      ],
      2,
      '@FILE',
    ],
  ]
  for (const [what, flags, exit, says] of wrong) {
    it(`refuses to log in ${what}`, async () => {
      await using sandbox = await createSandbox()
      const {code, stderr} = await sandbox.atomctl(['login', '--vault', ...flags])
      expect(code, stderr).to.equal(exit)
      expect(stderr).to.include(says).and.not.include('eyJhbGciOi')
    })
  }
})

describe('the keychain', () => {
  // Stands for libsecret's secret-tool and the keyring behind it: keeps what it gets on stdin in a folder.
  const TOOL = `#!/bin/sh
printf '%s\\n' "$*" >> "$HOME/calls"
case "$1" in
  store) cat > "$HOME/ring-$6" ;;
  lookup) cat "$HOME/ring-$5" ;;
  clear) rm "$HOME/ring-$5" ;;
esac
`
  it('has the secrets when there is one; the file then says only who is logged in', async () => {
    await using sandbox = await createSandbox()
    await using registry = await startRegistryDouble(OWNERS)
    await mkdir(sandbox.path('bin'))
    await writeFile(sandbox.path('bin', 'secret-tool'), TOOL)
    await chmod(sandbox.path('bin', 'secret-tool'), 0o755)
    const env = {PATH: `${sandbox.path('bin')}:/usr/bin:/bin`, DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere'}
    const flag = ['--registry-url', registry.url]
    const login = await sandbox.atomctl(['login', '--token-stdin', ...flag], {input: ACCESS, env})
    expect(login.code, login.stderr).to.equal(0)
    expect(login.stdout).to.include('the keychain')
    expect(await readFile(sandbox.path('.atomctl', 'credentials.json'), 'utf8')).to.not.include(ACCESS)
    expect((await sandbox.atomctl(['whoami', ...flag], {env})).stdout)
      .to.include('ann')
      .and.include('keychain')
    const locked = await sandbox.atomctl(['whoami', ...flag])
    expect(locked.code).to.equal(4)
    expect(locked.stderr).to.include('unlock the keychain')
    await sandbox.atomctl(['logout'], {env})
    expect((await readdir(sandbox.home)).filter((name) => name.startsWith('ring-'))).to.deep.equal([])
    expect(await readFile(sandbox.path('calls'), 'utf8')).to.not.include(
      Buffer.from(ACCESS).toString('base64url').slice(0, 12),
    )
  })

  it('that is broken is passed over in silence', async () => {
    await using sandbox = await createSandbox()
    await using registry = await startRegistryDouble(OWNERS)
    const env = {DBUS_SESSION_BUS_ADDRESS: 'unix:path=/nowhere'}
    const {code, stderr, stdout} = await sandbox.atomctl(['login', '--token-stdin', '--registry-url', registry.url], {
      input: ACCESS,
      env,
    })
    expect(code).to.equal(0)
    expect(stderr).to.equal('')
    expect(stdout).to.include('only you can read')
  })
})
