import type {Json} from '@atomctl/protocol/values'
import {judge} from '../handlers/api-response.ts'
import {failure, textOf, type HandlerResult} from '../handlers/handler.ts'
import {outcomeResult} from '../handlers/k8s.ts'
import {commandResult} from '../handlers/outputs.ts'
import {Redactor} from '../kubernetes/redaction.ts'
import {isObject, type HandlerSpec} from '../program.ts'
import {writesOutputs} from '../support.ts'

/** What a test says an attempt came to; what it leaves out is what a success would be. */
export interface MockedAttempt {
  readonly status?: 'success' | 'error' | undefined
  readonly exit_code?: number | undefined
  readonly http_status?: number | undefined
  readonly output?: Json | undefined
  readonly outputs?: Readonly<Record<string, Json>> | undefined
  readonly error?: string | undefined
}

/** The result of an attempt, judged by the code that judges real ones: expected status, outputs, exit codes. */
export async function resultOf(spec: HandlerSpec, mocked: MockedAttempt): Promise<HandlerResult> {
  const {status, error} = mocked
  const output = mocked.output === undefined ? '' : textOf(mocked.output)
  const facts = {exitCode: mocked.exit_code ?? null, httpStatus: mocked.http_status ?? null, output}
  if (error !== undefined || status === 'error') return failure(error ?? 'the mock says that it fails', facts)
  const given = await judged(spec, mocked, output)
  if (given.status === 'error' || mocked.outputs === undefined || writesOutputs(spec)) return given
  return {...given, outputs: textsOf(mocked.outputs)}
}

async function judged(spec: HandlerSpec, mocked: MockedAttempt, output: string): Promise<HandlerResult> {
  // Outputs that the mock itself gives need not be looked for in the answer.
  const own = mocked.outputs === undefined ? spec : {...spec, outputs: undefined}
  const exitCode = mocked.exit_code ?? 0
  if (spec.type === 'api')
    return judge(own, {status: mocked.http_status ?? expectedOf(spec), text: output, output, complete: true})
  const problem = exitCode === 0 ? undefined : `exit code ${exitCode}`
  if (writesOutputs(spec)) {
    return commandResult(spec, {exitCode, output, problem}, {values: textsOf(mocked.outputs ?? {})})
  }
  if (problem !== undefined) return failure(problem, {exitCode, output})
  if (spec.type !== 'k8s') return {...failure('', {exitCode, output}), status: 'success', error: null}
  return outcomeResult(own, {output, exitCode, document: () => mocked.output ?? ''}, new Redactor())
}

function textsOf(values: Readonly<Record<string, Json>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, textOf(value)]))
}

/** What a success would answer. */
function expectedOf({config}: HandlerSpec): number {
  const expected = config['expected_status']
  const [first] = Array.isArray(expected) ? expected : [expected]
  return typeof first === 'number' ? first : 200
}

export function isMissingOutput(spec: HandlerSpec, {outputs}: HandlerResult): string | undefined {
  return Object.keys(isObject(spec.outputs) ? spec.outputs : {}).find((name) => !(name in outputs))
}
