import type {HttpClient} from '../http/index.ts'
import type {Environment} from '../config/environment.ts'
import {AtomError, isAtomError} from '../errors.ts'
import type {Credential} from './record.ts'
import {CredentialStore} from './store.ts'

/** A token this close to its end is replaced before it is used: clocks differ and requests take time. */
const MARGIN = 30_000

export interface Lookup {
  readonly environment: Environment
  readonly origin: string
  readonly context: string | undefined
  http(): Promise<HttpClient>
}

/**
 * The token of the login that belongs to an origin, refreshed when it runs out; undefined when nobody logged in there.
 * @throws TOKEN_EXPIRED, CREDENTIALS_INVALID, UNAVAILABLE
 */
export async function loginToken({environment, origin, context, http}: Lookup): Promise<string | undefined> {
  const store = new CredentialStore(environment)
  const found = await store.find(origin, context)
  if (!found) return undefined
  if (isFresh(found)) return (await store.secretsOf(found)).token
  if (!found.renewal) throw expired(found)
  return store.locked(async () => {
    // whoever held the lock before may have refreshed it
    const current = (await store.find(origin, context)) ?? found
    return isFresh(current) ? (await store.secretsOf(current)).token : refresh(current, store, await http())
  })
}

function isFresh({expiresAt, obtainedAt}: Credential): boolean {
  if (expiresAt === undefined) return true
  // a token that lives for a minute is not replaced at every command
  return Date.now() < expiresAt - Math.min(MARGIN, (expiresAt - obtainedAt) / 4)
}

async function refresh(credential: Credential, store: CredentialStore, http: HttpClient): Promise<string> {
  const secrets = await store.secretsOf(credential)
  const {renewToken} = await import('../login/renew.ts')
  try {
    const renewed = await renewToken(credential, secrets, http)
    const {secrets: _old, store: _place, ...login} = credential
    await store.put(
      {...login, obtainedAt: Date.now(), expiresAt: renewed.expiresAt},
      {
        token: renewed.token,
        ...(renewed.refresh === undefined ? {} : {refresh: renewed.refresh}),
      },
    )
    return renewed.token
  } catch (error) {
    if (credential.expiresAt !== undefined && Date.now() < credential.expiresAt) return secrets.token
    if (isAtomError(error) && error.code === 'LOGIN_FAILED') throw expired(credential, error)
    throw error
  }
}

function expired({expiresAt = 0, origins}: Credential, cause?: AtomError): AtomError {
  const why = cause ? ` and was not renewed: ${cause.message}` : ''
  const when = new Date(expiresAt).toISOString()
  return new AtomError('TOKEN_EXPIRED', `the token for ${origins.join(' and ')} expired at ${when}${why}`, {
    hint: 'atomctl login',
    cause,
  })
}
