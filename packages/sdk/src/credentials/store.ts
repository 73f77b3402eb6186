import {rm} from 'node:fs/promises'
import type {Environment} from '../config/environment.ts'
import {AtomError} from '../errors.ts'
import {credentialsPath, readCredentials, writeCredentials} from './file.ts'
import {type Keychain, openKeychain} from './keychain.ts'
import {withLock} from './lock.ts'
import type {Credential, Secrets} from './record.ts'

/** A login without its secrets. */
export type Login = Omit<Credential, 'secrets'>

/** The logins of this user: who they are in a 0600 file, their secrets in the keychain or, without one, in the file too. */
export class CredentialStore {
  readonly path: string
  readonly #keychain: Keychain | undefined

  constructor(environment: Environment) {
    this.path = credentialsPath(environment)
    this.#keychain = openKeychain(environment)
  }

  /** @throws CREDENTIALS_INVALID */
  list(): Promise<Credential[]> {
    return readCredentials(this.path)
  }

  /** The login for an origin: the context's own before one made without a context. @throws CREDENTIALS_INVALID */
  async find(origin: string, context: string | undefined): Promise<Credential | undefined> {
    const fitting = (await this.list()).filter(({origins}) => origins.includes(origin))
    return fitting.find((one) => one.context === (context ?? null)) ?? fitting.find((one) => one.context === null)
  }

  /** @throws TOKEN_EXPIRED when the keychain does not give them out */
  async secretsOf({id, secrets}: Credential): Promise<Secrets> {
    if (secrets) return secrets
    const {secrets: schema} = await import('./record.ts')
    const text = await this.#keychain?.read(id)
    const checked = schema.safeParse(decode(text))
    if (checked.success) return checked.data
    throw new AtomError('TOKEN_EXPIRED', 'the keychain does not give out the token of the last login', {
      hint: 'unlock the keychain, or atomctl login',
    })
  }

  /** Keeps a login in place of what its context had for the same origins. @throws OUTPUT_FAILED, CREDENTIALS_INVALID */
  save(login: Omit<Login, 'store'>, secrets: Secrets): Promise<Login> {
    return this.locked(() => this.put(login, secrets))
  }

  /** The same for one who holds the lock. */
  async put(login: Omit<Login, 'store'>, secrets: Secrets): Promise<Login> {
    const before = await this.list()
    const inKeychain = (await this.#keychain?.store(login.id, encode(secrets))) ?? false
    const saved: Credential = inKeychain ? {...login, store: 'keychain'} : {...login, store: 'file', secrets}
    if (inKeychain) delete (saved as {secrets?: Secrets}).secrets
    const kept = before.flatMap((one) => without(one, login))
    await writeCredentials(this.path, [...kept, saved])
    const gone = before.filter(({id}) => id !== login.id && kept.every((one) => one.id !== id))
    await Promise.all(gone.map((one) => this.#forget(one)))
    return saved
  }

  /** Takes logins away, from the keychain too; the ids of those whose secret the keychain kept. */
  remove(ids: ReadonlySet<string>): Promise<string[]> {
    return this.locked(async () => {
      const all = await this.list()
      await writeCredentials(
        this.path,
        all.filter(({id}) => !ids.has(id)),
      )
      const forgotten = await Promise.all(all.filter(({id}) => ids.has(id)).map((one) => this.#forget(one)))
      return forgotten.flatMap((id) => id ?? [])
    })
  }

  /** Removes the file whatever is in it. */
  async wipe(): Promise<void> {
    await rm(this.path, {force: true})
  }

  locked<T>(work: () => Promise<T>): Promise<T> {
    return withLock(`${this.path}.lock`, work)
  }

  async #forget({id, store}: Credential): Promise<string | undefined> {
    return store === 'file' || (await this.#keychain?.remove(id)) ? undefined : id
  }
}

/** What is left of an older login after a newer one took over some of its origins. */
function without(older: Credential, newer: Pick<Login, 'id' | 'context' | 'origins'>): Credential[] {
  if (older.id === newer.id) return []
  if (older.context !== newer.context) return [older]
  const origins = older.origins.filter((origin) => !newer.origins.includes(origin))
  return origins.length === 0 ? [] : [{...older, origins}]
}

function encode(secrets: Secrets): string {
  return Buffer.from(JSON.stringify(secrets)).toString('base64url')
}

function decode(text: string | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(text ?? '', 'base64url').toString('utf8'))
  } catch {
    return undefined
  }
}
