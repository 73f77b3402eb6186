import {createHash, timingSafeEqual} from 'node:crypto'
import type {FastifyRequest} from 'fastify'
import type {TokenDigest, Tokens} from '../options.ts'
import {refuse, Refusal} from '../refusal.ts'

const OPEN_PATHS: ReadonlySet<string> = new Set(['/health', '/.well-known/atom'])
const OPERATORS: ReadonlySet<string> = new Set(['operator', 'admin'])

type Permission = 'read' | 'operate'

/** Decides from the header alone, before any byte of a body is read. */
export class Access {
  readonly #permissionOf: ((token: string, digest: Buffer) => Promise<Permission | undefined>) | undefined
  readonly #anonymousReads: boolean

  /** Throws TypeError for a digest that is none: it would silently keep its owner out. */
  constructor(tokens: Tokens | undefined, anonymousReads: boolean) {
    this.#permissionOf = tokens && ('verify' in tokens ? verifier(tokens) : finder(tokens.digests.map(readDigest)))
    this.#anonymousReads = anonymousReads
  }

  /** Throws 401 or 403. Answers the digest of the token, which names whose request it is, or '' when there is none. */
  async authorize(request: FastifyRequest): Promise<string> {
    const isRead = request.method === 'GET'
    if (!this.#permissionOf || OPEN_PATHS.has(request.url.split('?')[0] ?? '')) return ''
    const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined && isRead && this.#anonymousReads) return ''
    if (token === undefined) throw unauthorized('Not authenticated', 'Bearer realm="atomctl"')
    const digest = createHash('sha256').update(token).digest()
    const permission = await this.#permissionOf(token, digest)
    if (!permission)
      throw unauthorized('Invalid authentication credentials', 'Bearer realm="atomctl", error="invalid_token"')
    if (permission === 'read' && !isRead) throw refuse(403, 'DENIED', 'This token may read executions, not run them')
    return digest.toString('hex')
  }
}

interface Known {
  readonly digest: Buffer
  readonly permission: Permission
}

function verifier(tokens: Extract<Tokens, {verify: unknown}>) {
  return async (token: string): Promise<Permission | undefined> =>
    (await tokens.verify(token)) ? 'operate' : undefined
}

/** Every digest is compared, each in constant time, so that the time tells nothing about which one it was. */
function finder(known: readonly Known[]) {
  return (_token: string, digest: Buffer): Promise<Permission | undefined> =>
    Promise.resolve(known.filter((entry) => timingSafeEqual(entry.digest, digest))[0]?.permission)
}

function readDigest(entry: TokenDigest): Known {
  const {digest, role} = typeof entry === 'string' ? {digest: entry, role: undefined} : entry
  const hex = digest.replace(/^sha256:/, '')
  if (!/^[0-9a-f]{64}$/i.test(hex)) throw new TypeError('a token digest is 64 hexadecimal digits of SHA-256')
  return {digest: Buffer.from(hex, 'hex'), permission: role === undefined || OPERATORS.has(role) ? 'operate' : 'read'}
}

function unauthorized(detail: string, challenge: string): Refusal {
  const hint = 'atomctl config set auth_token TOKEN, or set ATOMCTL_AUTH_TOKEN'
  return new Refusal(401, {detail, code: 'NOT_AUTHENTICATED', hint}, {'www-authenticate': challenge})
}
