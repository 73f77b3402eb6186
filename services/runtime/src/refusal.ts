import type {ErrorBody} from '@atomctl/protocol/errors'
import type {Finding} from '@atomctl/wpk/document'
import {isAtomError} from '@atomctl/wpk/errors'

/** A request that is answered with an error: the status and the body of protocol section 1.3, with our extras. */
export class Refusal extends Error {
  readonly status: number
  readonly body: ErrorBody
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, body: ErrorBody, headers: Readonly<Record<string, string>> = {}) {
    super(typeof body.detail === 'string' ? body.detail : 'invalid request')
    this.name = 'Refusal'
    this.status = status
    this.body = body
    this.headers = headers
  }
}

export function refuse(status: number, code: string, detail: string, hint?: string): Refusal {
  return new Refusal(status, {detail, code, ...(hint === undefined ? {} : {hint})})
}

/** 422 with one item per finding; `under` says where in the request the findings' paths begin. */
export function invalid(code: string, findings: readonly Finding[], under: readonly string[]): Refusal {
  const detail = findings.map(({path, message, rule}) => ({
    loc: ['body', ...under, ...(path === '' ? [] : path.split('.'))],
    msg: message,
    type: rule,
  }))
  return new Refusal(422, {detail, code, findings: findings.map((finding) => ({...finding}))})
}

/** The refusal that an AtomError of the package format means; anything else is thrown on. */
export function refusalOf(error: unknown, status: number): Refusal {
  if (!isAtomError(error)) throw error
  return refuse(status, error.code, error.message, error.hint)
}
