import * as z from 'zod'
import {AtomError, isAtomError} from '../errors.ts'
import type {HttpResponse} from '../http/index.ts'
import {claimsOf} from './claims.ts'
import {isSuccess, read} from './endpoint.ts'

const bearer = z.string().regex(/^[\u0021-\u007E]{1,65536}$/)

/** A successful answer of a token endpoint (RFC 6749 section 5.1, RFC 8693 section 2.2.1). */
export const tokenAnswer = z.looseObject({
  access_token: bearer,
  token_type: z.string(),
  expires_in: z.number().positive().max(1e10).optional(),
  refresh_token: bearer.optional(),
  id_token: bearer.optional(),
})

const errorAnswer = z.looseObject({error: z.string().max(200)})

/** What a login brought. `expiresAt` in ms since the epoch, of this machine's clock. */
export interface Granted {
  readonly token: string
  readonly refresh?: string | undefined
  readonly expiresAt?: number | undefined
  readonly subject?: string | undefined
}

/**
 * The `error` of a refusal (RFC 6749 section 5.2), a code of letters; its description could quote what was sent and
 * stays out.
 */
export function oauthError(response: HttpResponse): string {
  try {
    const {error} = read(response, errorAnswer)
    return /^[\w.-]+$/.test(error) ? error : 'an error without a name'
  } catch (error) {
    if (isAtomError(error)) return `status ${response.status}`
    throw error
  }
}

export function loginFailed(message: string, hint = 'atomctl login'): AtomError {
  return new AtomError('LOGIN_FAILED', message, {hint})
}

/** @throws LOGIN_FAILED, PROTOCOL */
export function granted(response: HttpResponse, uses: 'access' | 'id', now: number): Granted {
  if (!isSuccess(response)) throw loginFailed(`${response.origin} refused: ${oauthError(response)}`)
  const answer = read(response, tokenAnswer)
  const token = uses === 'id' ? answer.id_token : answer.access_token
  if (token === undefined) throw loginFailed(`${response.origin} gave no ID token`, 'add openid to --scope')
  if (uses === 'access' && !/^(bearer|n_a)$/i.test(answer.token_type)) {
    throw loginFailed(`${response.origin} gave a token of another type than bearer`)
  }
  const claims = claimsOf(answer.id_token ?? token)
  const expiresAt =
    uses === 'access' && answer.expires_in !== undefined ? now + answer.expires_in * 1000 : endOf(claimsOf(token), now)
  return {token, refresh: answer.refresh_token, expiresAt, subject: claims?.email ?? claims?.sub}
}

/** When a JWT ends: by its own length from now on, so that a clock that is wrong here does not matter; else by `exp`. */
export function endOf(claims: ReturnType<typeof claimsOf>, now: number): number | undefined {
  if (claims?.exp === undefined) return undefined
  return claims.iat === undefined ? claims.exp * 1000 : now + (claims.exp - claims.iat) * 1000
}
