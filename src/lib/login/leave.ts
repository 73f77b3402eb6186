import type {AtomContext} from '@atomctl/sdk/context'
import {type Credential, CredentialStore} from '@atomctl/sdk/credentials'
import {isAtomError} from '@atomctl/sdk/errors'
import {revokeToken} from '@atomctl/sdk/login'

/** What `logout` did with one login. */
export interface Departure {
  context: string | null
  origins: string[]
  subject: string | null
  /** The issuer took the token back. */
  revoked: boolean
}

/** Removes the logins of the context in force, or all, from file and keychain, and revokes what can be revoked. */
export async function leave(atom: AtomContext, all: boolean, warn: (line: string) => void): Promise<Departure[]> {
  const store = new CredentialStore(atom.environment)
  const logins = await store.list().catch(async (error: unknown) => {
    if (!all || !isAtomError(error) || error.code !== 'CREDENTIALS_INVALID') throw error
    await store.wipe()
    warn(`${error.message}: removed as a whole; what it held could not be revoked`)
    return []
  })
  const context = all ? undefined : (atom.configuration.contextName ?? null)
  const leaving = logins.filter((login) => all || login.context === context)
  const departures = await Promise.all(leaving.map((login) => depart(login, store, atom, warn)))
  if (leaving.length === 0) return departures
  const kept = await store.remove(new Set(leaving.map(({id}) => id)))
  if (kept.length > 0) warn(`the keychain did not let go of ${kept.length} of them: remove "atomctl login" there`)
  return departures
}

async function depart(
  login: Credential,
  store: CredentialStore,
  atom: AtomContext,
  warn: (line: string) => void,
): Promise<Departure> {
  const {context, origins, subject = null, expiresAt} = login
  const revoked = await revoke(login, store, atom).catch((error: unknown) => {
    if (!isAtomError(error)) throw error
    const until = expiresAt === undefined ? '' : ` until ${new Date(expiresAt).toISOString()}`
    if (expiresAt === undefined || expiresAt > Date.now())
      warn(`the token for ${origins.join(' and ')} stays valid${until}: ${error.message}`)
    return false
  })
  return {context, origins, subject, revoked}
}

async function revoke(login: Credential, store: CredentialStore, atom: AtomContext): Promise<true> {
  await revokeToken(login, await store.secretsOf(login), await atom.http())
  return true
}
