import * as z from 'zod'
import {isAtomError} from '../errors.ts'
import {type Clock, type HttpResponse, pause} from '../http/index.ts'
import {claimsOf} from './claims.ts'
import {type Ask, isSuccess, postForm, read, secureUrl} from './endpoint.ts'
import type {Issuer} from './issuer.ts'
import {type Granted, granted, loginFailed, oauthError} from './oauth.ts'

const authorization = z.looseObject({
  device_code: z.string().min(1).max(10_000),
  user_code: z.string().regex(/^[\u0021-\u007E]{1,100}$/),
  verification_uri: z.string().max(2000),
  verification_uri_complete: z.string().max(4000).optional(),
  expires_in: z.number().positive().max(86_400),
  interval: z.number().nonnegative().max(3600).optional(),
})

/** What the person has to do: open the address on any device and enter the code. */
export interface DevicePrompt {
  readonly url: string
  readonly completeUrl: string | undefined
  readonly code: string
  /** Seconds until the code is void. */
  readonly expiresIn: number
}

export interface DeviceOptions {
  readonly clientId: string
  readonly scope: string
  readonly audience?: string | undefined
  readonly uses: 'access' | 'id'
  readonly clock: Clock
  show(prompt: DevicePrompt): void
}

/**
 * Logs a person in on another device (RFC 8628): asks for a code, shows it, and waits until it was entered.
 * @throws LOGIN_FAILED when refused or too late, NOT_SUPPORTED, PROTOCOL, UNAVAILABLE, INTERRUPTED
 */
export async function authorizeDevice(ask: Ask, issuer: Issuer, options: DeviceOptions): Promise<Granted> {
  const {clientId, scope, audience, clock, show} = options
  if (!issuer.deviceEndpoint) throw loginFailed(`${issuer.name} offers no device flow`, 'log in with --token-stdin')
  const response = await postForm(ask, issuer.deviceEndpoint, {client_id: clientId, scope, audience})
  if (!isSuccess(response)) throw loginFailed(`${issuer.name} refused: ${oauthError(response)}`, 'check --client-id')
  const found = read(response, authorization)
  const until = clock.now() + found.expires_in * 1000
  show({...addresses(found), code: found.user_code, expiresIn: found.expires_in})
  const answer = await poll(ask, issuer, options, {code: found.device_code, interval: found.interval ?? 5, until})
  return checkIdToken(granted(answer, options.uses, clock.now()), issuer, options)
}

function addresses(found: z.infer<typeof authorization>): {url: string; completeUrl: string | undefined} {
  const check = (text: string): string => secureUrl(text, "the issuer's verification address", 'LOGIN_FAILED').href
  const complete = found.verification_uri_complete
  return {url: check(found.verification_uri), completeUrl: complete === undefined ? undefined : check(complete)}
}

interface Polling {
  readonly code: string
  /** Seconds between two questions; never under one. */
  readonly interval: number
  readonly until: number
}

async function poll(
  ask: Ask,
  issuer: Issuer,
  {clientId, clock}: DeviceOptions,
  polling: Polling,
): Promise<HttpResponse> {
  let interval = Math.max(1, polling.interval)
  const fields = {
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    device_code: polling.code,
    client_id: clientId,
  }
  for (;;) {
    await pause(clock, interval * 1000, ask.signal)
    if (clock.now() >= polling.until) throw loginFailed('the code was not entered in time')
    const answer = await postForm(ask, issuer.tokenEndpoint, fields).catch(connectionLost)
    if (answer && isSuccess(answer)) return answer
    const error = answer ? oauthError(answer) : 'slow_down'
    if (error === 'slow_down') interval += 5
    else if (error !== 'authorization_pending') throw refusal(error, issuer)
  }
}

// RFC 8628 section 3.5: after a failed connection, ask again, and less often.
function connectionLost(error: unknown): undefined {
  if (isAtomError(error) && (error.code === 'UNAVAILABLE' || error.code === 'TIMEOUT')) return undefined
  throw error
}

function refusal(error: string, {name}: Issuer): Error {
  if (error === 'access_denied') return loginFailed('the login was denied')
  if (error === 'expired_token') return loginFailed('the code was not entered in time')
  return loginFailed(`${name} refused: ${error}`)
}

// Received from the token endpoint itself over TLS, which OpenID Connect Core 3.1.3.7 lets stand in for the signature.
function checkIdToken(grant: Granted, issuer: Issuer, {uses, clientId}: DeviceOptions): Granted {
  if (uses === 'access') return grant
  const claims = claimsOf(grant.token)
  const audiences = [claims?.aud ?? []].flat()
  if (claims?.iss?.replace(/\/+$/, '') === issuer.name && audiences.includes(clientId)) return grant
  throw loginFailed(`${issuer.name} gave an ID token of another issuer or for another client`)
}
