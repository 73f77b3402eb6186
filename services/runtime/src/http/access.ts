import {createHash, timingSafeEqual} from 'node:crypto'
import type {FastifyRequest} from 'fastify'
import type {Tokens} from '../options.ts'
import {Refusal} from '../refusal.ts'

const OPEN_PATHS = new Set(['/health', '/.well-known/atom'])

export interface AccessOptions {
  readonly tokens: Tokens | undefined
  readonly anonymousReads: boolean
}

/**
 * Lets a request in, or throws 401. Answers the digest of the token, which names whose request it is, or '' when
 * tokens are not configured. Runs before the body is read.
 */
export async function authorize(request: FastifyRequest, {tokens, anonymousReads}: AccessOptions): Promise<string> {
  const isRead = request.method === 'GET'
  if (!tokens || OPEN_PATHS.has(request.url.split('?')[0] ?? '')) return ''
  const token = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined && isRead && anonymousReads) return ''
  if (token === undefined) throw unauthorized('Not authenticated', 'Bearer realm="atomctl"')
  if (!(await isAccepted(tokens, token)))
    throw unauthorized('Invalid authentication credentials', 'Bearer realm="atomctl", error="invalid_token"')
  return digestOf(token).toString('hex')
}

async function isAccepted(tokens: Tokens, token: string): Promise<boolean> {
  if ('verify' in tokens) return tokens.verify(token)
  const digest = digestOf(token)
  // Every digest is compared, so that the time tells nothing about which one it was.
  let accepted = false
  for (const known of tokens.digests) {
    const bytes = Buffer.from(known.replace(/^sha256:/, ''), 'hex')
    if (bytes.length === digest.length && timingSafeEqual(bytes, digest)) accepted = true
  }
  return accepted
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}

function unauthorized(detail: string, challenge: string): Refusal {
  const hint = 'atomctl config set auth_token TOKEN, or set ATOMCTL_AUTH_TOKEN'
  return new Refusal(401, {detail, code: 'NOT_AUTHENTICATED', hint}, {'www-authenticate': challenge})
}
