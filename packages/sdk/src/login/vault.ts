import * as z from 'zod'
import type {HttpResponse} from '../http/index.ts'
import {claimsOf} from './claims.ts'
import {type Ask, get, isSuccess, postJson, read, secureUrl} from './endpoint.ts'
import {type Granted, loginFailed} from './oauth.ts'

const token = z.string().regex(/^[\u0021-\u007E]{1,65536}$/)
const loginAnswer = z.looseObject({auth: z.looseObject({client_token: token, entity_id: z.string().optional()})})
const identityAnswer = z.looseObject({data: z.looseObject({token, ttl: z.number().positive().max(1e9)})})
const secretAnswer = z.looseObject({data: z.record(z.string(), z.unknown())})

/** A Vault and what to send with every request. */
export interface Vault {
  readonly address: URL
  readonly namespace?: string | undefined
}

/** How to get in: a login of an auth method, or a token that is there already. */
export type VaultAuth =
  | {readonly method: 'jwt'; readonly mount: string; readonly role: string; readonly jwt: string}
  | {readonly method: 'approle'; readonly mount: string; readonly roleId: string; readonly secretId: string}
  | {readonly method: 'token'; readonly token: string}

/** @throws USAGE */
export function vaultAt(address: string, namespace?: string): Vault {
  return {address: secureUrl(address, "Vault's address"), namespace}
}

/** A Vault token; it never leaves for anywhere but Vault. @throws LOGIN_FAILED, PROTOCOL, UNAVAILABLE */
export async function enterVault(ask: Ask, vault: Vault, auth: VaultAuth): Promise<string> {
  if (auth.method === 'token') return auth.token
  const body =
    auth.method === 'jwt' ? {role: auth.role, jwt: auth.jwt} : {role_id: auth.roleId, secret_id: auth.secretId}
  const answer = await postJson(ask, urlOf(vault, `auth/${auth.mount}/login`), body, headersOf(vault))
  return read(accepted(answer, `the login with ${auth.method}`), loginAnswer).auth.client_token
}

/** A JWT that Vault's identity engine signs for whoever the token belongs to: `vault read identity/oidc/token/ROLE`. */
export async function mintIdentity(ask: Ask, vault: Vault, vaultToken: string, role: string): Promise<Granted> {
  const url = urlOf(vault, `identity/oidc/token/${encodeURIComponent(role)}`)
  const answer = accepted(await get(ask, url, headersOf(vault, vaultToken)), `identity/oidc/token/${role}`)
  const {data} = read(answer, identityAnswer)
  const claims = claimsOf(data.token)
  const expiresAt = Date.now() + data.ttl * 1000
  return {token: data.token, refresh: vaultToken, expiresAt, subject: claims?.sub}
}

/**
 * A token that lies in Vault: `PATH#FIELD`, the path as `vault read` wants it (`secret/data/atomctl` in a KV version 2).
 * @throws USAGE, LOGIN_FAILED
 */
export async function readSecret(ask: Ask, vault: Vault, vaultToken: string, place: string): Promise<Granted> {
  const [path = '', field = 'token'] = place.split('#', 2)
  const answer = accepted(await get(ask, urlOf(vault, path), headersOf(vault, vaultToken)), path)
  const {data} = read(answer, secretAnswer)
  const inner = z.record(z.string(), z.unknown()).safeParse(data['data']).data
  const value = token.safeParse((inner ?? data)[field])
  if (!value.success)
    throw loginFailed(
      `${path} in Vault has no usable token in its field ${field}`,
      'name it: --vault-secret PATH#FIELD',
    )
  const claims = claimsOf(value.data)
  // stored long ago, perhaps: its length from now on says nothing
  return {token: value.data, expiresAt: claims?.exp === undefined ? undefined : claims.exp * 1000, subject: claims?.sub}
}

/** Keeps the Vault token alive (`vault token renew`). @throws LOGIN_FAILED when Vault does not know it any more */
export async function renewSelf(ask: Ask, vault: Vault, vaultToken: string): Promise<void> {
  const answer = await postJson(ask, urlOf(vault, 'auth/token/renew-self'), {}, headersOf(vault, vaultToken))
  // 400: alive, but of a kind that cannot be renewed; it may still mint
  if (answer.status !== 400) accepted(answer, 'the renewal of its token')
}

export async function revokeSelf(ask: Ask, vault: Vault, vaultToken: string): Promise<void> {
  accepted(await revocation(ask, vault, vaultToken), 'the revocation of its token')
}

function revocation(ask: Ask, vault: Vault, vaultToken: string): Promise<HttpResponse> {
  return postJson(ask, urlOf(vault, 'auth/token/revoke-self'), {}, headersOf(vault, vaultToken))
}

function accepted(answer: HttpResponse, what: string): HttpResponse {
  if (isSuccess(answer)) return answer
  throw loginFailed(
    `Vault at ${answer.origin} refused ${what}: ${answer.status}`,
    'check the role, the mount and the policy in Vault',
  )
}

function urlOf({address}: Vault, path: string): URL {
  const bare = path.replace(/^\/+|\/+$/g, '').replace(/^v1\//, '')
  const segments = bare.split('/')
  if (segments.some((segment) => segment === '' || segment === '.' || segment === '..' || /[?#\\\s]/.test(segment))) {
    throw loginFailed(`${JSON.stringify(path)} is no path in Vault`, 'write it like secret/data/atomctl#token')
  }
  return new URL(`${address.href.replace(/\/+$/, '')}/v1/${bare}`)
}

function headersOf({namespace}: Vault, vaultToken?: string): Record<string, string> {
  return {
    'x-vault-request': 'true',
    ...(namespace === undefined ? {} : {'x-vault-namespace': namespace}),
    ...(vaultToken === undefined ? {} : {'x-vault-token': vaultToken}),
  }
}
