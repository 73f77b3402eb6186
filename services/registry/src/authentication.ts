import {createHash, timingSafeEqual} from 'node:crypto'
import type {FastifyRequest} from 'fastify'
import {Refusal} from './refusal.ts'

/** reader: GET and dry runs · publisher: also push and notify · admin: also delete. */
export type Role = 'reader' | 'publisher' | 'admin'
const ROLES: readonly Role[] = ['reader', 'publisher', 'admin']

/** What a route asks for; `anyone` needs no token, `reader` none either when anonymous reads are allowed, `anyToken` any known one. */
export type Access = 'anyone' | 'anyToken' | Role

/** The name is what the audit log shows. */
export interface Identity {
  readonly name: string
  readonly role: Role
}

/** Looks a bearer token up; undefined when it is not known. */
export interface TokenStore {
  identify(token: string): Identity | undefined | Promise<Identity | undefined>
}

/** SHA-256 of a token in hex, with or without `sha256:`. A bare string is an admin named after its digest. */
export type TokenDigest = string | {readonly name: string; readonly digest: string; readonly role?: Role}
export type Tokens = TokenStore | {readonly digests: readonly TokenDigest[]}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    identity: Identity | undefined
  }
}

export function tokenStore(tokens: Tokens): TokenStore {
  if (!('digests' in tokens)) return tokens
  const known = tokens.digests.map(readDigest)
  return {
    identify(token) {
      const digest = createHash('sha256').update(token).digest()
      // Every digest is compared, in constant time each: the time taken says nothing about how close a guess was.
      return known.filter((entry) => timingSafeEqual(entry.digest, digest))[0]?.identity
    },
  }
}

function readDigest(entry: TokenDigest): {digest: Buffer; identity: Identity} {
  const text = (typeof entry === 'string' ? entry : entry.digest).replace(/^sha256:/, '')
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new TypeError('a token digest is 64 hexadecimal digits of SHA-256')
  const identity =
    typeof entry === 'string'
      ? ({name: `token ${text.slice(0, 8)}`, role: 'admin'} as const)
      : {name: entry.name, role: entry.role ?? 'admin'}
  return {digest: Buffer.from(text, 'hex'), identity}
}

/**
 * Runs before any byte of a body is read. 401 for a missing or unknown token with the original's texts, 403 when the
 * token is known but may not do this.
 */
export async function authenticate(request: FastifyRequest, store: TokenStore, anonymousReads: boolean): Promise<void> {
  const access = request.routeOptions.config.access ?? 'anyone'
  if (access === 'anyone' || (access === 'reader' && anonymousReads && request.method === 'GET')) return
  const token = bearerToken(request.headers.authorization)
  delete request.headers.authorization // nothing after this needs it, and what is not there cannot be logged
  const identity = await store.identify(token)
  if (!identity) throw unauthenticated('Invalid authentication credentials')
  if (access !== 'anyToken' && ROLES.indexOf(identity.role) < ROLES.indexOf(access)) {
    throw new Refusal(403, `${identity.name} is a ${identity.role}; this needs a ${access}`, {code: 'DENIED'})
  }
  request.identity = identity
}

function bearerToken(header: string | undefined): string {
  if (header === undefined || /^bearer *$/i.test(header)) throw unauthenticated('Not authenticated')
  const [, token] = /^bearer +(\S+) *$/i.exec(header) ?? []
  if (token === undefined) throw unauthenticated('Invalid authentication credentials')
  return token
}

function unauthenticated(detail: string): Refusal {
  const hint = 'atomctl config --auth-token -   # or set ATOMCTL_AUTH_TOKEN'
  return new Refusal(401, detail, {code: 'NOT_AUTHENTICATED', hint, headers: {'www-authenticate': 'Bearer'}})
}
