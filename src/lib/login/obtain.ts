import type {AtomContext} from '@atomctl/sdk/context'
import type {Credential, Renewal} from '@atomctl/sdk/credentials'
import {AtomError} from '@atomctl/sdk/errors'
import {systemClock} from '@atomctl/sdk/http'
import {
  authorizeDevice,
  claimsOf,
  type DevicePrompt,
  discoverIssuer,
  exchangeToken,
  type Granted,
  type Issuer,
} from '@atomctl/sdk/login'
import {readJobToken} from '@atomctl/sdk/sigstore'
import {readToken} from '../token-input.ts'
import type {LoginFlags} from './flags.ts'
import {loginWithVault} from './vault.ts'

/** A token, how it was got, and how the next one will be. */
export interface Obtained {
  readonly method: Credential['method']
  readonly issuer?: string | undefined
  readonly grant: Granted
  readonly renewal?: Renewal | undefined
}

export interface Dialogue {
  readonly interactive: boolean
  show(prompt: DevicePrompt): void
}

/** @throws USAGE, INPUT_REQUIRED, LOGIN_FAILED, IDENTITY_TOKEN_INVALID, UNAVAILABLE, … */
export async function obtainToken(flags: LoginFlags, atom: AtomContext, dialogue: Dialogue): Promise<Obtained> {
  const isVault = namesVault(flags)
  const ways = [flags['token-stdin'], isVault, flags.ci || flags.issuer !== undefined].filter(Boolean)
  if (ways.length > 1) {
    throw new AtomError('USAGE', 'there are several ways to log in here', {
      hint: 'choose one of --token-stdin, --issuer, --ci and --vault',
    })
  }
  if (isVault) return loginWithVault(flags, atom)
  if (flags.ci) return loginAsJob(flags, atom)
  if (flags.issuer !== undefined) return loginOnDevice(flags, flags.issuer, atom, dialogue)
  if (flags['token-stdin'] || dialogue.interactive) return loginWithToken(dialogue)
  throw new AtomError('INPUT_REQUIRED', 'there is no terminal to ask for a token on', {
    hint: 'add --token-stdin, --issuer URL, --ci or --vault',
  })
}

/** Each of Vault's own flags means Vault: one that is set and does nothing would log in by another way than was meant. */
function namesVault(flags: LoginFlags): boolean {
  return Object.entries(flags).some(
    ([name, value]) => name.startsWith('vault') && value !== undefined && value !== false,
  )
}

async function loginWithToken({interactive}: Dialogue): Promise<Obtained> {
  const token = await readToken('-', interactive, 'atomctl login --token-stdin < token-file')
  const claims = claimsOf(token)
  const expiresAt = claims?.exp === undefined ? undefined : claims.exp * 1000
  return {method: 'token', issuer: claims?.iss, grant: {token, expiresAt, subject: claims?.email ?? claims?.sub}}
}

async function loginOnDevice(flags: LoginFlags, flag: string, atom: AtomContext, {show}: Dialogue): Promise<Obtained> {
  const clientId = flags['client-id']
  if (!clientId) throw new AtomError('USAGE', 'the issuer wants to know the client', {hint: 'add --client-id ID'})
  const ask = {http: await atom.http(), service: 'issuer', signal: atom.interruption.signal}
  const issuer = await discoverIssuer(ask, flag)
  const uses = flags['id-token'] ? 'id' : 'access'
  const scope = flags.scope ?? 'openid offline_access'
  const options = {clientId, scope, audience: flags.audience, uses, clock: systemClock, show} as const
  const grant = await authorizeDevice(ask, issuer, options)
  return {method: 'oidc', issuer: issuer.name, grant, renewal: renewalAt(issuer, clientId, uses)}
}

async function loginAsJob(flags: LoginFlags, atom: AtomContext): Promise<Obtained> {
  const job = await readJobToken(flags.audience ?? flags.issuer ?? 'atomctl', atom)
  if (flags.issuer === undefined) {
    const claims = claimsOf(job.text)
    const expiresAt = claims?.exp === undefined ? undefined : claims.exp * 1000
    return {method: 'ci', issuer: claims?.iss, grant: {token: job.text, expiresAt, subject: job.subject}}
  }
  const ask = {http: await atom.http(), service: 'issuer', signal: atom.interruption.signal}
  const issuer = await discoverIssuer(ask, flags.issuer)
  const clientId = flags['client-id']
  const grant = await exchangeToken(ask, issuer, job.text, {clientId, audience: flags.audience, scope: flags.scope})
  const renewal = clientId === undefined ? undefined : renewalAt(issuer, clientId, 'access')
  return {method: 'ci', issuer: issuer.name, grant: {...grant, subject: grant.subject ?? job.subject}, renewal}
}

function renewalAt({tokenEndpoint, revocationEndpoint}: Issuer, clientId: string, uses: 'access' | 'id'): Renewal {
  const revocation = revocationEndpoint ? {revocationEndpoint: revocationEndpoint.href} : {}
  return {kind: 'oidc', tokenEndpoint: tokenEndpoint.href, ...revocation, clientId, uses}
}
