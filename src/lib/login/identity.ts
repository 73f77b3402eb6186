import type {AtomContext} from '@atomctl/sdk/context'
import {CredentialStore} from '@atomctl/sdk/credentials'
import {AtomError, isAtomError} from '@atomctl/sdk/errors'
import type {ServiceName} from './target.ts'

/** Who one service takes the user for, and where that comes from. Never the token. */
export interface ServiceIdentity {
  service: ServiceName
  origin: string
  context: string | null
  /** The keychain, a file, or the setting's place. */
  source: string
  method: string | null
  issuer: string | null
  subject: string | null
  expiresAt: string | null
  /** As the service says; null when it does not. */
  name: string | null
  role: string | null
}

/**
 * @throws NOT_AUTHENTICATED without any token, or when a service does not take it; TOKEN_EXPIRED
 */
export async function describeIdentity(atom: AtomContext, warn: (line: string) => void): Promise<ServiceIdentity[]> {
  const local = await Promise.all((['registry', 'runtime'] as const).map((service) => describeLocally(service, atom)))
  const known = local.flatMap((identity) => identity ?? [])
  if (known.length === 0) throw new AtomError('NOT_AUTHENTICATED', 'nobody is logged in here', {hint: 'atomctl login'})
  return Promise.all(
    known.map(async (identity) => {
      const told = await ask(identity.service, atom, warn)
      // asking may have refreshed it
      return {...((told && (await describeLocally(identity.service, atom))) ?? identity), ...told}
    }),
  )
}

async function ask(
  service: ServiceName,
  atom: AtomContext,
  warn: (line: string) => void,
): Promise<{name: string; role: string} | undefined> {
  try {
    const told = await atom.identify(service)
    return told && {name: told.name, role: told.role}
  } catch (error) {
    if (!isAtomError(error) || (error.code !== 'UNAVAILABLE' && error.code !== 'TIMEOUT')) throw error
    warn(`the ${service} could not be asked: ${error.message}`)
    return undefined
  }
}

async function describeLocally(service: ServiceName, atom: AtomContext): Promise<ServiceIdentity | undefined> {
  const {configuration, environment} = atom
  const url = configuration.text(`${service}_url`) ?? ''
  const {origin} = new URL(url)
  const context = configuration.contextName ?? null
  const nothing = {method: null, issuer: null, subject: null, expiresAt: null, name: null, role: null}
  if (configuration.tokenFor(url) !== undefined) {
    return {service, origin, context, source: configuration.get('auth_token')?.origin.where ?? 'settings', ...nothing}
  }
  const store = new CredentialStore(environment)
  const login = await store.find(origin, configuration.contextName)
  if (!login) return undefined
  const {method, issuer = null, subject = null, expiresAt} = login
  const source = login.store === 'keychain' ? 'keychain' : store.path
  const ends = expiresAt === undefined ? null : new Date(expiresAt).toISOString()
  return {...nothing, service, origin, context: login.context, source, method, issuer, subject, expiresAt: ends}
}
