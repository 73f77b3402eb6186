import {oneLine, type View} from '@atomctl/sdk/output'
import type {Departure} from '../login/leave.ts'
import type {ServiceIdentity} from '../login/identity.ts'

/** A login as it was kept; times in UTC. */
export interface LoginResult {
  context: string | null
  origins: string[]
  method: string
  subject: string | null
  expiresAt: string | null
  store: 'keychain' | 'file'
}

export const loginView: View<LoginResult> = {
  kind: 'Login',
  text: (result, style) =>
    [
      `${style.good('[SUCCESS]')} Logged in to ${result.origins.join(' and ')}`,
      ...line('As', result.subject),
      ...line('Context', result.context),
      ...line('Expires', result.expiresAt),
      `  Kept in: ${result.store === 'keychain' ? 'the keychain' : 'a file that only you can read'}`,
    ].join('\n'),
  names: ({origins}) => origins,
}

export const logoutView: View<Departure[]> = {
  kind: 'Logout',
  text: (departures, style) =>
    departures.length === 0
      ? 'Nobody was logged in'
      : departures
          .map(({origins, revoked}) => {
            const what = revoked ? ' (token revoked)' : ''
            return `${style.good('[SUCCESS]')} Logged out of ${oneLine(origins.join(' and '))}${what}`
          })
          .join('\n'),
  names: (departures) => departures.flatMap(({origins}) => origins),
  items: (departures) => departures,
}

export const whoamiView: View<ServiceIdentity[]> = {
  kind: 'Identity',
  text: (identities) => identities.map((identity) => describe(identity)).join('\n'),
  names: (identities) => identities.map(({name, subject, service}) => name ?? subject ?? service),
  items: (identities) => identities,
}

function describe(identity: ServiceIdentity): string {
  const who = identity.name ?? identity.subject ?? 'the owner of a token'
  const role = identity.role === null ? '' : ` (${oneLine(identity.role)})`
  return [
    `${identity.service} ${identity.origin}: ${oneLine(who)}${role}`,
    ...line('Subject', identity.subject),
    ...line('Issuer', identity.issuer),
    ...line('Expires', identity.expiresAt),
    ...line('Context', identity.context),
    ...line('Token from', identity.source),
  ].join('\n')
}

function line(label: string, value: string | null): string[] {
  return value === null ? [] : [`  ${label}: ${oneLine(value)}`]
}
