import type {Json} from '@atomctl/protocol/values'
import {evaluate, namesIn, parseCondition} from '../expressions.ts'
import {HeadAndTail, LineSplitter, LogBudget} from '../process/output.ts'
import {isObject, type HandlerSpec} from '../program.ts'
import {failure, textOf, type HandlerResult, type RunContext} from './handler.ts'
import {NO_SECRETS} from '../secrets/step.ts'
import {resolvePointer} from './outputs.ts'

/** Of a response body; more is read off the wire no further. */
const LARGEST_BODY = 1024 * 1024
const LOGGED_CHARACTERS = 4096

export interface HttpResponse {
  readonly status: number
  readonly text: string
  readonly output: string
  readonly complete: boolean
}

export async function readBody(
  body: AsyncIterable<Buffer>,
  secrets = NO_SECRETS,
): Promise<Omit<HttpResponse, 'status'>> {
  const output = new HeadAndTail()
  const shown = secrets.filter((chunk) => output.push(chunk))
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of body) {
    shown.push(chunk)
    size += chunk.length
    if (size > LARGEST_BODY) break
    chunks.push(chunk)
  }
  shown.end(size > LARGEST_BODY)
  return {text: Buffer.concat(chunks).toString('utf8'), output: output.text, complete: size <= LARGEST_BODY}
}

export function logBody(text: string, context: RunContext): void {
  const splitter = new LineSplitter(new LogBudget(context.log), 'stdout')
  splitter.push(Buffer.from(text.slice(0, LOGGED_CHARACTERS)))
  splitter.end()
  if (text.length > LOGGED_CHARACTERS) context.log('system', `truncated: the body has ${text.length} characters`)
}

/** Success or failure by status and condition, with the outputs that the handler declares. */
export function judge(spec: HandlerSpec, response: HttpResponse): HandlerResult {
  const {status, output} = response
  const facts = {httpStatus: status, output}
  const expected = expectedStatuses(spec.config['expected_status'])
  if (expected ? !expected.includes(status) : status < 200 || status > 299) {
    return failure(`status ${status}, expected ${expected ? expected.join(' or ') : '2xx'}`, facts)
  }
  const body = parseBody(response)
  const condition = responseCondition(spec)
  if (condition !== undefined && evaluate(parseCondition(condition), {status, body: body ?? null}) !== true) {
    return failure(`the response does not satisfy ${condition}`, facts)
  }
  const outputs: Record<string, string> = {}
  for (const [name, pointer] of Object.entries(isObject(spec.outputs) ? spec.outputs : {})) {
    const value = body === undefined ? undefined : resolvePointer(body, String(pointer))
    if (value === undefined) return failure(`the response has nothing at ${String(pointer)} for output ${name}`, facts)
    outputs[name] = textOf(value)
  }
  return {status: 'success', error: null, exitCode: null, outputs, ...facts}
}

function parseBody({text, complete}: HttpResponse): Json | undefined {
  if (!complete) return undefined
  try {
    return JSON.parse(text) as Json
  } catch {
    return text
  }
}

export function expectedStatuses(value: Json | undefined): number[] | undefined {
  const list = Array.isArray(value) ? value : value === undefined ? [] : [value]
  const isStatus = (item: Json): item is number => Number.isInteger(item) && Number(item) >= 100 && Number(item) <= 599
  return list.length > 0 && list.every(isStatus) ? list : undefined
}

/** A condition on parameters and outputs: when it does not hold, no request is made. */
export function requestCondition(spec: HandlerSpec): string | undefined {
  const {condition} = spec.config
  return typeof condition === 'string' && !isAboutResponse(condition) ? condition : undefined
}

/** A condition on `status` and `body`: the response must satisfy it. */
function responseCondition(spec: HandlerSpec): string | undefined {
  const {condition} = spec.config
  return typeof condition === 'string' && isAboutResponse(condition) ? condition : undefined
}

const RESPONSE_NAMES: ReadonlySet<string> = new Set(['status', 'body'])

function isAboutResponse(condition: string): boolean {
  return namesIn(parseCondition(condition)).some((name) => RESPONSE_NAMES.has(name))
}

/** Why a condition can never be decided. */
export function conditionProblem(condition: Json | undefined): string | undefined {
  if (condition === undefined) return undefined
  if (typeof condition !== 'string') return 'condition must be a text'
  try {
    const foreign = namesIn(parseCondition(condition)).filter((name) => !RESPONSE_NAMES.has(name))
    if (foreign.length === 0 || !isAboutResponse(condition)) return undefined
    return `condition mixes the response with ${foreign.join(', ')}, which is known before the request`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
