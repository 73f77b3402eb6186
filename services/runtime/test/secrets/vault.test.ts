import {expect} from 'chai'
import {SecretError} from '../../src/secrets/errors.ts'
import {secretOptions} from '../../src/secrets/options.ts'
import {SecretReader} from '../../src/secrets/reader.ts'
import {ROOT_TOKEN, VaultDouble, type Fault} from '../support/vault.ts'

const NEED = {
  name: 'db_password',
  references: [
    {source: 'vault', path: 'secret/data/db', key: 'password'},
    {source: 'env', name: 'DB_PASSWORD'},
  ],
} as const
const VALUE = 'canary-value-1'

describe('reading secrets', () => {
  let vault: VaultDouble
  const readers: SecretReader[] = []
  beforeEach(async () => {
    vault = await VaultDouble.start()
    vault.secrets.set('secret/data/db', {password: VALUE, port: 5432, short: 'abc', long: 'x'.repeat(40_000)})
  })
  afterEach(async () => {
    await Promise.all(readers.splice(0).map((reader) => reader.close()))
    await vault.stop()
  })

  function reader(environment: Record<string, string> = {}, timeoutMs = 10_000): SecretReader {
    const all = {VAULT_ADDR: vault.address, VAULT_TOKEN: ROOT_TOKEN, ...environment}
    const {vault: options, ...rest} = secretOptions(all)
    const made = new SecretReader(all, {
      ...rest,
      vault: typeof options === 'object' ? {...options, timeoutMs} : options,
    })
    readers.push(made)
    return made
  }
  const read = (from: SecretReader, need: object = NEED): Promise<Record<string, string>> =>
    from.read([need as typeof NEED], new AbortController().signal)
  const keyed = (key: string): object => ({name: 's', references: [{source: 'vault', path: 'secret/data/db', key}]})

  async function failureOf(from: SecretReader, need: object = NEED): Promise<SecretError> {
    const error = await read(from, need).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    expect(error).to.be.instanceOf(SecretError)
    expect((error as SecretError).message).to.not.match(/canary|hvs\.|token=/)
    return error as SecretError
  }

  it('takes a value out of version 2 of the key-value store, with the namespace', async () => {
    expect(await read(reader({VAULT_NAMESPACE: 'team/a'}))).to.deep.equal({db_password: VALUE})
    expect(vault.requests).to.deep.equal([
      {method: 'GET', path: '/v1/secret/data/db', namespace: 'team/a', token: ROOT_TOKEN},
    ])
  })

  it('logs in with an AppRole once, and again when its token was revoked', async () => {
    const from = reader({VAULT_TOKEN: '', VAULT_ROLE_ID: 'role-1', VAULT_SECRET_ID: 'secret-id-canary'})
    await read(from)
    await read(from)
    expect(vault.logins).to.equal(1)
    vault.revokeRoles()
    expect(await read(from)).to.deep.equal({db_password: VALUE})
    expect(vault.logins).to.equal(2)
  })

  it('tells a login that is refused without what it sent', async () => {
    const from = reader({VAULT_TOKEN: '', VAULT_ROLE_ID: 'role-1', VAULT_SECRET_ID: 'wrong-canary'})
    expect((await failureOf(from)).code).to.equal('SECRET_DENIED')
  })

  it('looks into the environment when Vault has nothing, or is not there at all', async () => {
    vault.secrets.clear()
    expect(await read(reader({ATOMCTL_SECRET_DB_PASSWORD: 'from-env-1'}))).to.deep.equal({db_password: 'from-env-1'})
    const without = reader({VAULT_ADDR: '', ATOMCTL_SECRET_DB_PASSWORD: 'from-env-2'})
    expect(await read(without)).to.deep.equal({db_password: 'from-env-2'})
  })

  it('names every place where a secret is not', async () => {
    vault.secrets.clear()
    const {code, message} = await failureOf(reader())
    expect(code).to.equal('SECRET_NOT_FOUND')
    expect(message).to.contain('secret/data/db').and.to.contain('ATOMCTL_SECRET_DB_PASSWORD')
  })

  for (const [fault, code, isRetryable] of [
    ['sealed', 'SECRET_UNAVAILABLE', true],
    ['hang', 'SECRET_UNAVAILABLE', true],
    ['cut', 'SECRET_UNAVAILABLE', true],
    ['redirect', 'SECRET_UNAVAILABLE', false],
    ['huge', 'SECRET_INVALID', false],
    ['garbage', 'SECRET_INVALID', false],
    ['kv1', 'SECRET_INVALID', false],
  ] as [Fault, string, boolean][])
    it(`says ${code} of a Vault that answers with ${fault}, and asks no other source`, async () => {
      vault.fault = fault
      const error = await failureOf(
        reader({ATOMCTL_SECRET_DB_PASSWORD: 'older-value'}, fault === 'hang' ? 100 : 10_000),
      )
      expect([error.code, error.isRetryable]).to.deep.equal([code, isRetryable])
    })

  it('says SECRET_UNAVAILABLE of a Vault that is away', async () => {
    const from = reader()
    await vault.stop()
    expect((await failureOf(from)).code).to.equal('SECRET_UNAVAILABLE')
    vault = await VaultDouble.start()
  })

  it('says SECRET_DENIED of a path the token may not read, with no look elsewhere', async () => {
    vault.forbidden.add('secret/data/db')
    expect((await failureOf(reader({ATOMCTL_SECRET_DB_PASSWORD: 'older-value'}))).code).to.equal('SECRET_DENIED')
  })

  it('says SECRET_NOT_FOUND of a key that is not there and of a deleted version', async () => {
    expect((await failureOf(reader(), keyed('nothing'))).code).to.equal('SECRET_NOT_FOUND')
    vault.fault = 'deleted'
    expect((await failureOf(reader(), keyed('password'))).code).to.equal('SECRET_NOT_FOUND')
  })

  for (const key of ['port', 'short', 'long'])
    it(`refuses the value of ${key}, which cannot be kept out of logs`, async () => {
      expect((await failureOf(reader(), keyed(key))).code).to.equal('SECRET_INVALID')
    })

  for (const [what, environment] of [
    ['plain http to another machine', {VAULT_ADDR: 'http://vault.example.com'}],
    ['an address with a password', {VAULT_ADDR: 'https://a:canary@vault.example.com'}],
    ['no login', {VAULT_TOKEN: ''}],
    ['a certificate file that is not there', {VAULT_CACERT: '/nowhere.pem'}],
    ['paths of its own that lack this one', {ATOMCTL_VAULT_PATHS: 'secret/data/other, kv/data/x'}],
    ['paths that are none', {ATOMCTL_VAULT_PATHS: '../sys'}],
  ] as [string, Record<string, string>][])
    it(`refuses to ask Vault with ${what}`, async () => {
      expect((await failureOf(reader(environment))).code).to.equal('SECRET_DENIED')
      expect(vault.requests).to.deep.equal([])
    })

  it('reads below a path of its own', async () => {
    expect(await read(reader({ATOMCTL_VAULT_PATHS: 'secret/data'}))).to.deep.equal({db_password: VALUE})
  })
})
