import * as z from 'zod'
import {get, isSuccess, read, secureUrl, type Ask} from './endpoint.ts'
import {loginFailed} from './oauth.ts'

const text = z.string().max(2000)
const discoveryDocument = z.looseObject({
  issuer: text,
  token_endpoint: text,
  device_authorization_endpoint: text.optional(),
  revocation_endpoint: text.optional(),
})

export interface Issuer {
  readonly name: string
  readonly tokenEndpoint: URL
  readonly deviceEndpoint: URL | undefined
  readonly revocationEndpoint: URL | undefined
}

/**
 * The endpoints of an OpenID provider (OpenID Connect Discovery 1.0 section 4). A document that names another issuer is
 * refused: it would let one provider pass for another.
 * @throws USAGE, LOGIN_FAILED, PROTOCOL, UNAVAILABLE
 */
export async function discoverIssuer(ask: Ask, flag: string): Promise<Issuer> {
  const name = secureUrl(flag, 'the issuer').href.replace(/\/+$/, '')
  const response = await get(ask, new URL(`${name}/.well-known/openid-configuration`))
  if (!isSuccess(response))
    throw loginFailed(`${name} is no OpenID issuer: it answered ${response.status}`, 'check --issuer')
  const found = read(response, discoveryDocument)
  if (found.issuer.replace(/\/+$/, '') !== name) {
    throw loginFailed(
      `the issuer ${name} calls itself by another name`,
      'give --issuer exactly as the provider writes it',
    )
  }
  return {
    name,
    tokenEndpoint: endpoint(found.token_endpoint, 'token endpoint'),
    deviceEndpoint: optional(found.device_authorization_endpoint, 'device endpoint'),
    revocationEndpoint: optional(found.revocation_endpoint, 'revocation endpoint'),
  }
}

function optional(url: string | undefined, what: string): URL | undefined {
  return url === undefined ? undefined : endpoint(url, what)
}

function endpoint(url: string, what: string): URL {
  return secureUrl(url, `the issuer's ${what}`, 'LOGIN_FAILED')
}
