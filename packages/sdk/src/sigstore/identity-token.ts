import type {AtomContext} from '../context.ts'
import {AtomError, isAtomError} from '../errors.ts'
import {readInput} from '../files/index.ts'

const LIMIT = 64 * 1024
const AUDIENCE = 'sigstore'

/** A checked token, and whom it says it is for; nobody has verified it yet. */
export interface IdentityToken {
  readonly text: string
  /** What Fulcio wants signed as a proof of possession: the e-mail address, else the subject. */
  readonly subject: string
}

/**
 * The OIDC token to sign with: the flag's value (`@file`, or `-` for standard input), else SIGSTORE_ID_TOKEN, else the
 * one that GitHub Actions gives to a job.
 * @throws IDENTITY_TOKEN_INVALID, INPUT_MISSING, UNAVAILABLE; the token is never part of a message
 */
export async function readIdentityToken(flag: string | undefined, context: AtomContext): Promise<IdentityToken> {
  const text = flag === undefined ? await readFromEnvironment(context) : await readFlag(flag)
  return checkToken(text.trim())
}

async function readFlag(flag: string): Promise<string> {
  if (flag !== '-' && !flag.startsWith('@')) return flag
  try {
    return new TextDecoder().decode(await readInput(flag === '-' ? '-' : flag.slice(1), LIMIT))
  } catch (error) {
    if (isAtomError(error) && error.code === 'WPK_UNREADABLE') throw invalid('is far too long')
    throw error
  }
}

async function readFromEnvironment(context: AtomContext): Promise<string> {
  const {environment} = context
  const given = environment['SIGSTORE_ID_TOKEN']
  if (given) return given
  const url = environment['ACTIONS_ID_TOKEN_REQUEST_URL']
  const bearer = environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN']
  if (url && bearer) return requestToken(url, bearer, context)
  throw new AtomError('IDENTITY_TOKEN_INVALID', 'there is no identity token to sign with', {
    hint: 'give one with --identity-token, or set SIGSTORE_ID_TOKEN; in GitHub Actions, permissions: id-token: write',
  })
}

/**
 * The token of a CI job for another audience than Sigstore's: ATOMCTL_ID_TOKEN (GitLab: `id_tokens`), else the one that
 * GitHub Actions gives to a job.
 * @throws IDENTITY_TOKEN_INVALID, UNAVAILABLE
 */
export async function readJobToken(audience: string, context: AtomContext): Promise<IdentityToken> {
  const {environment} = context
  const given = environment['ATOMCTL_ID_TOKEN']
  if (given) return checkToken(given.trim())
  const url = environment['ACTIONS_ID_TOKEN_REQUEST_URL']
  const bearer = environment['ACTIONS_ID_TOKEN_REQUEST_TOKEN']
  if (url && bearer) return checkToken((await requestToken(url, bearer, context, audience)).trim())
  throw new AtomError('IDENTITY_TOKEN_INVALID', 'this job has no identity token', {
    hint: 'GitHub Actions: permissions: id-token: write; GitLab: id_tokens: {ATOMCTL_ID_TOKEN: {aud: AUDIENCE}}',
  })
}

/** GitHub's token service for jobs (docs.github.com, "OpenID Connect reference"). */
async function requestToken(url: string, bearer: string, context: AtomContext, audience = AUDIENCE): Promise<string> {
  const endpoint = URL.parse(url)
  if (!endpoint) throw invalid('cannot be asked for: ACTIONS_ID_TOKEN_REQUEST_URL is not a URL')
  const client = await context.http()
  const query = {...Object.fromEntries(endpoint.searchParams), audience}
  const {bytes} = await client.request(
    {baseUrl: endpoint.origin, token: bearer},
    {method: 'GET', path: endpoint.pathname, query, service: 'token service of GitHub Actions', maxBytes: LIMIT},
  )
  const value = tokenIn(Buffer.from(bytes).toString('utf8'))
  if (value === undefined) throw invalid('is missing from the answer of GitHub Actions')
  return value
}

function tokenIn(answer: string): string | undefined {
  try {
    const {value} = JSON.parse(answer) as {value?: unknown}
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

/** Checked here, because sigstore-js would print a token that it cannot read. */
function checkToken(text: string): IdentityToken {
  const [, payload, ...others] = text.split('.')
  if (payload === undefined || others.length !== 1 || !/^[\w.-]+$/.test(text)) throw invalid('is not a JWT')
  const {sub, email, email_verified: isVerified, exp} = readPayload(payload)
  if (typeof exp === 'number' && exp * 1000 <= Date.now()) {
    throw invalid(`expired at ${new Date(exp * 1000).toISOString()}`)
  }
  if (typeof email === 'string' && email !== '') {
    if (isVerified !== true && isVerified !== 'true') throw invalid('has an e-mail address that nobody verified')
    return {text, subject: email}
  }
  if (typeof sub !== 'string' || sub === '') throw invalid('names nobody')
  return {text, subject: sub}
}

function readPayload(payload: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // no cause: the text of a SyntaxError quotes the token
  }
  throw invalid('is not a JWT')
}

function invalid(why: string): AtomError {
  return new AtomError('IDENTITY_TOKEN_INVALID', `the identity token ${why}`, {
    hint: `get a fresh token from the identity provider (to sign: with the audience ${AUDIENCE}, --identity-token @FILE)`,
  })
}
