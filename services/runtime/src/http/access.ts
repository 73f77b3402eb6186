import {createHash, timingSafeEqual} from 'node:crypto'
import type {FastifyRequest} from 'fastify'
import {may, roleOf, type Identity, type Permission} from '../identity.ts'
import type {TokenDigest, Tokens} from '../options.ts'
import {refuse, Refusal} from '../refusal.ts'

const OPEN_PATHS: ReadonlySet<string> = new Set(['/health', '/.well-known/atom'])

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Default: `read` for GET, `operate` for everything else. */
    permission?: Permission
  }
}

type Verify = (token: string, digest: Buffer) => Promise<Identity | undefined>

const ANYBODY: Identity = {principal: '', name: 'anonymous', role: 'admin'}
const READER: Identity = {principal: '', name: 'anonymous', role: 'reader'}

/** Decides from the header alone, before any byte of a body is read. */
export class Access {
  readonly #verify: Verify | undefined
  readonly #anonymousReads: boolean

  /** Throws TypeError for a digest that is none: it would silently keep its owner out. */
  constructor(tokens: Tokens | undefined, anonymousReads: boolean) {
    this.#verify = tokens && ('verify' in tokens ? verifier(tokens) : finder(tokens.digests.map(readDigest)))
    this.#anonymousReads = anonymousReads
  }

  /** Throws 401 or 403. Answers whose request it is. */
  async authorize(request: FastifyRequest): Promise<Identity> {
    const isRead = request.method === 'GET'
    if (!this.#verify || OPEN_PATHS.has(request.url.split('?')[0] ?? '')) return ANYBODY
    const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined && isRead && this.#anonymousReads) return READER
    if (token === undefined) throw unauthorized('Not authenticated', 'Bearer realm="atomctl"')
    const identity = await this.#verify(token, createHash('sha256').update(token).digest())
    if (!identity)
      throw unauthorized('Invalid authentication credentials', 'Bearer realm="atomctl", error="invalid_token"')
    const needed = request.routeOptions.config?.permission ?? (isRead ? 'read' : 'operate')
    if (!may(identity, needed)) throw refuse(403, 'DENIED', DENIALS[needed])
    return identity
  }
}

const DENIALS: Readonly<Record<Permission, string>> = {
  read: 'This token may not read executions',
  operate: 'This token may read executions, not run them',
  approve: 'This token may not approve executions: that takes the role approver or admin',
}

function verifier(tokens: Extract<Tokens, {verify: unknown}>): Verify {
  return async (token, digest) => {
    const verdict = await tokens.verify(token)
    if (verdict === false) return undefined
    return identityOf(digest.toString('hex'), verdict === true ? {} : verdict)
  }
}

interface Known {
  readonly digest: Buffer
  readonly identity: Identity
}

/** Every digest is compared, each in constant time, so that the time tells nothing about which one it was. */
function finder(known: readonly Known[]): Verify {
  return (_token, digest) =>
    Promise.resolve(known.filter((entry) => timingSafeEqual(entry.digest, digest))[0]?.identity)
}

function readDigest(entry: TokenDigest): Known {
  const about = typeof entry === 'string' ? {digest: entry} : entry
  const hex = about.digest.replace(/^sha256:/, '').toLowerCase()
  if (!/^[0-9a-f]{64}$/.test(hex)) throw new TypeError('a token digest is 64 hexadecimal digits of SHA-256')
  return {digest: Buffer.from(hex, 'hex'), identity: identityOf(hex, about)}
}

function identityOf(principal: string, {name, role}: {name?: string; role?: string}): Identity {
  return {principal, name: name ?? `token ${principal.slice(0, 8)}`, role: roleOf(role)}
}

function unauthorized(detail: string, challenge: string): Refusal {
  const hint = 'atomctl config set auth_token TOKEN, or set ATOMCTL_AUTH_TOKEN'
  return new Refusal(401, {detail, code: 'NOT_AUTHENTICATED', hint}, {'www-authenticate': challenge})
}
