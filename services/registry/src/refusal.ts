import type {ErrorBody} from '@atomctl/protocol/errors'
import {isAtomError} from '@atomctl/wpk/errors'
import type {Finding} from '@atomctl/wpk/document'

type RefusalFacts = Partial<Pick<ErrorBody, 'code' | 'hint'>> & {
  readonly findings?: readonly Finding[]
  /** What exactly was wrong, where `detail` has to be the fixed text of the protocol. */
  readonly reason?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly cause?: unknown
}

/** An answer that is not a success, thrown from anywhere below a route; protocol section 1.3 plus our `code` and `hint`. */
export class Refusal extends Error {
  readonly status: number
  readonly body: Record<string, unknown>
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, detail: ErrorBody['detail'], {cause, headers = {}, ...facts}: RefusalFacts = {}) {
    super(typeof detail === 'string' ? detail : detail.map(({msg}) => msg).join('; '), {cause})
    this.name = 'Refusal'
    this.status = status
    this.headers = headers
    this.body = {detail, ...facts}
  }
}

/** 422 in the shape of the original: `detail` is an array, `loc` says where. */
export function invalidInput(loc: (string | number)[], msg: string, type = 'value_error'): Refusal {
  return new Refusal(422, [{loc, msg, type}], {code: 'REQUEST_REJECTED'})
}

export function unknownWorkflow(): Refusal {
  return new Refusal(404, 'Workflow not found', {code: 'NOT_FOUND', hint: 'atomctl list'})
}

/** The 400 for a package that cannot be accepted: the protocol's text as `detail`, ours as code, reason and hint. */
export function refusePackage(error: unknown, detail: string): unknown {
  if (!isAtomError(error)) return error
  const {code, message: reason, hint, details} = error
  const findings = details?.['findings'] as readonly Finding[] | undefined
  return new Refusal(400, detail, {code, reason, ...(hint && {hint}), ...(findings && {findings}), cause: error})
}
