import {isVaultPath} from '@atomctl/wpk/parameters'
import {Agent, type Dispatcher} from 'undici'
import {readBody} from '../handlers/api-response.ts'
import {isObject} from '../program.ts'
import type {Json, JsonObject} from '@atomctl/protocol/values'
import {SecretError} from './errors.ts'

export interface VaultOptions {
  /** https, or http to this machine; a path is where a proxy has Vault. */
  readonly address: string
  readonly login: {readonly token: string} | {readonly roleId: string; readonly secretId: string}
  readonly namespace?: string | undefined
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca?: string | undefined
  /** For one request; default 10 s. */
  readonly timeoutMs?: number | undefined
}

const TIMEOUT_MS = 10_000
/** A token is renewed by a new login when this much of its time is over. */
const FRESH = 0.8

interface Login {
  readonly token: string
  readonly until: number
}

/** Reads KV version 2 of one Vault (https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2). */
export class Vault {
  readonly #options: VaultOptions
  readonly #agent: Agent
  #login: Promise<Login> | undefined

  constructor(options: VaultOptions) {
    this.#options = options
    const {ca, timeoutMs = TIMEOUT_MS} = options
    this.#agent = new Agent({connect: {timeout: timeoutMs, ...(ca === undefined ? {} : {ca})}})
  }

  /** All keys at a path, fresh; nothing is remembered but the token of a role. Throws SecretError. */
  async read(path: string, signal: AbortSignal): Promise<JsonObject> {
    if (!isVaultPath(path)) throw new SecretError('SECRET_INVALID', 'not a path of KV version 2')
    const place = path.split('/').map(encodeURIComponent).join('/')
    const answer = await this.#ask('GET', place, await this.#token(signal), signal)
    if (answer.status === 403 && this.#forget()) {
      return dataOf(path, await this.#ask('GET', place, await this.#token(signal), signal))
    }
    return dataOf(path, answer)
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  async #token(signal: AbortSignal): Promise<string> {
    const {login} = this.#options
    if ('token' in login) return login.token
    const known = await this.#login?.catch(() => undefined)
    if (known && Date.now() < known.until) return known.token
    this.#login = this.#logIn(login, signal)
    return (await this.#login).token
  }

  /** True when there was a token of a role, which may have been revoked before its time. */
  #forget(): boolean {
    const hadOne = this.#login !== undefined
    this.#login = undefined
    return hadOne
  }

  async #logIn({roleId, secretId}: {roleId: string; secretId: string}, signal: AbortSignal): Promise<Login> {
    const body = JSON.stringify({role_id: roleId, secret_id: secretId})
    const answer = await this.#ask('POST', 'auth/approle/login', undefined, signal, body)
    if (answer.status === 400 || answer.status === 403)
      throw new SecretError('SECRET_DENIED', `Vault refuses the AppRole login (status ${answer.status})`)
    const auth = requireJson('auth/approle/login', answer)['auth']
    if (!isObject(auth) || typeof auth['client_token'] !== 'string')
      throw new SecretError('SECRET_INVALID', 'Vault answers the AppRole login without a token')
    const seconds = Number(auth['lease_duration'])
    return {token: auth['client_token'], until: seconds > 0 ? Date.now() + seconds * 1000 * FRESH : Infinity}
  }

  async #ask(
    method: 'GET' | 'POST',
    path: string,
    token: string | undefined,
    signal: AbortSignal,
    body?: string,
  ): Promise<Answer> {
    const {address, namespace, timeoutMs = TIMEOUT_MS} = this.#options
    const base = new URL(address)
    try {
      const response = await this.#agent.request({
        origin: base.origin,
        path: `${base.pathname.replace(/\/$/, '')}/v1/${path}`,
        method,
        headers: {
          'x-vault-request': 'true',
          ...(token === undefined ? {} : {'x-vault-token': token}),
          ...(namespace === undefined ? {} : {'x-vault-namespace': namespace}),
          ...(body === undefined ? {} : {'content-type': 'application/json'}),
        },
        body: body ?? null,
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
        headersTimeout: 0,
        bodyTimeout: 0,
      })
      return await answerOf(response)
    } catch (error) {
      throw networkError(error, base.origin, timeoutMs, signal)
    }
  }
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly isComplete: boolean
  /** Only the origin of where a redirect leads. */
  readonly redirect: string | undefined
}

async function answerOf({statusCode, headers, body}: Dispatcher.ResponseData): Promise<Answer> {
  const {text, complete} = await readBody(body)
  const location = headers['location']
  const redirect = statusCode >= 300 && statusCode < 400 ? originOf(String(location)) : undefined
  return {status: statusCode, text, isComplete: complete, redirect}
}

function originOf(location: string): string {
  return URL.parse(location)?.origin ?? 'another address'
}

/** Throws SecretError for every answer that is not the data of a secret. */
function dataOf(path: string, answer: Answer): JsonObject {
  const body = requireJson(path, answer)
  const data = body['data']
  if (isObject(data) && isObject(data['data'])) return data['data']
  if (isObject(data) && data['data'] === null) throw new SecretError('SECRET_NOT_FOUND', `${path} is deleted in Vault`)
  throw new SecretError('SECRET_INVALID', `Vault's answer for ${path} is not one of KV version 2`)
}

function requireJson(path: string, answer: Answer): JsonObject {
  const {status, redirect} = answer
  if (redirect !== undefined)
    throw new SecretError('SECRET_UNAVAILABLE', `Vault redirects to ${redirect}, and a token goes to VAULT_ADDR alone`)
  if (status === 401 || status === 403 || status === 400)
    throw new SecretError('SECRET_DENIED', `Vault refuses to read ${path} (status ${status})`)
  if (status === 404) throw new SecretError('SECRET_NOT_FOUND', `Vault has nothing at ${path}`)
  if (status === 429 || status >= 500) throw unavailable(`Vault ${describeOutage(status)}`)
  if (!answer.isComplete) throw new SecretError('SECRET_INVALID', `Vault's answer for ${path} is larger than 1 MiB`)
  const body = status === 200 ? parse(answer.text) : undefined
  if (isObject(body)) return body
  throw new SecretError('SECRET_INVALID', `Vault's answer for ${path} cannot be read (status ${status})`)
}

function describeOutage(status: number): string {
  if (status === 503) return 'is sealed or under maintenance (status 503)'
  return status === 429 ? 'answers too many requests (status 429)' : `fails (status ${status})`
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

function unavailable(message: string): SecretError {
  return new SecretError('SECRET_UNAVAILABLE', message, {isRetryable: true})
}

/** Never the error's own text: it may repeat what was sent. */
function networkError(error: unknown, origin: string, timeoutMs: number, signal: AbortSignal): SecretError {
  if (signal.aborted) return unavailable('stopped while Vault was asked')
  const {name, code} = error as {name?: unknown; code?: unknown}
  if (name === 'TimeoutError') return unavailable(`Vault at ${origin} does not answer within ${timeoutMs} ms`)
  const word = typeof code === 'string' ? code : 'unknown error'
  if (/CERT|SELF_SIGNED|VERIFY|ALTNAME|ERR_SSL|ERR_TLS|^EPROTO$/.test(word))
    return new SecretError('SECRET_UNAVAILABLE', `The certificate of Vault at ${origin} is not trusted: ${word}`)
  return unavailable(`Vault at ${origin} cannot be reached: ${word}`)
}
