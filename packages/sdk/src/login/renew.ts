import type {Credential, Renewal, Secrets} from '../credentials/record.ts'
import type {HttpClient} from '../http/index.ts'
import {postForm} from './endpoint.ts'
import {type Granted, granted, loginFailed} from './oauth.ts'
import {mintIdentity, renewSelf, revokeSelf, vaultAt} from './vault.ts'

/**
 * The next token of a login: by its refresh token (RFC 6749 section 6), or from Vault.
 * @throws LOGIN_FAILED when that is over, UNAVAILABLE
 */
export async function renewToken({renewal}: Credential, {refresh}: Secrets, http: HttpClient): Promise<Granted> {
  if (!renewal || refresh === undefined) throw loginFailed('the login brought nothing to refresh it with')
  return renewal.kind === 'oidc' ? renewAtIssuer(renewal, refresh, http) : renewAtVault(renewal, refresh, http)
}

type AtIssuer = Extract<Renewal, {kind: 'oidc'}>
type AtVault = Extract<Renewal, {kind: 'vault'}>

async function renewAtIssuer(renewal: AtIssuer, refresh: string, http: HttpClient): Promise<Granted> {
  const fields = {grant_type: 'refresh_token', refresh_token: refresh, client_id: renewal.clientId}
  const answer = await postForm({http, service: 'issuer'}, new URL(renewal.tokenEndpoint), fields)
  const grant = granted(answer, renewal.uses, Date.now())
  // no new refresh token: the old one stays good
  return {...grant, refresh: grant.refresh ?? refresh}
}

async function renewAtVault(renewal: AtVault, refresh: string, http: HttpClient): Promise<Granted> {
  const ask = {http, service: 'Vault'}
  const vault = vaultAt(renewal.address, renewal.namespace)
  await renewSelf(ask, vault, refresh)
  return mintIdentity(ask, vault, refresh, renewal.identityRole)
}

/**
 * Takes back what can be taken back: the refresh token (RFC 7009), and with it what came of it; Vault's token.
 * @throws LOGIN_FAILED, UNAVAILABLE, …
 */
export async function revokeToken({renewal}: Credential, {token, refresh}: Secrets, http: HttpClient): Promise<void> {
  if (!renewal) throw loginFailed('whoever gave the token out has to revoke it')
  if (renewal.kind === 'vault') {
    if (refresh !== undefined)
      await revokeSelf({http, service: 'Vault'}, vaultAt(renewal.address, renewal.namespace), refresh)
    return
  }
  if (renewal.revocationEndpoint === undefined) throw loginFailed('the issuer offers no revocation')
  const url = new URL(renewal.revocationEndpoint)
  const what =
    refresh === undefined
      ? {token, token_type_hint: 'access_token'}
      : {token: refresh, token_type_hint: 'refresh_token'}
  const answer = await postForm({http, service: 'issuer'}, url, {...what, client_id: renewal.clientId})
  if (answer.status >= 300) throw loginFailed(`the issuer refused to revoke the token: ${answer.status}`)
}
