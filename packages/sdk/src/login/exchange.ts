import type {Ask} from './endpoint.ts'
import {postForm} from './endpoint.ts'
import type {Issuer} from './issuer.ts'
import {type Granted, granted} from './oauth.ts'

/** Trades the identity token of a CI job for one of the issuer's (RFC 8693). @throws LOGIN_FAILED, PROTOCOL, UNAVAILABLE */
export async function exchangeToken(
  ask: Ask,
  issuer: Issuer,
  subjectToken: string,
  options: {clientId: string | undefined; audience: string | undefined; scope: string | undefined},
): Promise<Granted> {
  const answer = await postForm(ask, issuer.tokenEndpoint, {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subjectToken,
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    client_id: options.clientId,
    audience: options.audience,
    scope: options.scope,
  })
  return granted(answer, 'access', Date.now())
}
