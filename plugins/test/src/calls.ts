import type {Json} from '@atomctl/protocol/values'
import type {RecordedCall} from '@atomctl/runtime/rehearsal'
import {formatPath} from '@atomctl/wpk/document'
import type {CallExpectation, CallsExpectation, TextMatcher} from '@atomctl/wpk/tests'
import {differenceOf, mismatchOf, quote} from './matching.ts'

/** Something that is not as a case expects it; the path is below `expect`. */
export interface Difference {
  readonly path: string
  readonly message: string
}

/** What is wrong with the calls of one handler. Keys beside `attempts` are about every attempt. */
export function compareCalls(name: string, expected: CallsExpectation, calls: readonly RecordedCall[]): Difference[] {
  const {count, attempts = [], ...every} = expected
  const base = formatPath(['calls', name])
  const counted = count ?? (attempts.length > 0 ? attempts.length : undefined)
  if (counted !== undefined && counted !== calls.length)
    return [
      {path: `${base}.${count === undefined ? 'attempts' : 'count'}`, message: countMessage(name, counted, calls)},
    ]
  if (calls.length === 0 && Object.keys(every).length > 0) return [{path: base, message: `${name} was not called`}]
  return [
    ...attempts.flatMap((attempt, index) => compareCall(`${base}.attempts[${index}]`, attempt, calls[index])),
    ...calls.flatMap((call) => compareCall(base, every, call)).slice(0, 1),
  ]
}

function countMessage(name: string, expected: number, calls: readonly RecordedCall[]): string {
  return `expected ${expected} calls of ${name}, got ${calls.length}`
}

function compareCall(base: string, expected: CallExpectation, call: RecordedCall | undefined): Difference[] {
  if (call === undefined) return []
  const texts = (['shell', 'command', 'cwd', 'method', 'url', 'image'] as const).map((key) =>
    differ(`${base}.${key}`, expected[key], (matcher) => textMismatch(matcher, (call as CallTexts)[key])),
  )
  return [
    ...texts,
    differ(`${base}.env`, expected.env, (names) => missingName(names, call.env ?? [])),
    ...Object.entries(expected.headers ?? {}).map(([header, matcher]) =>
      differ(`${base}.headers${formatPath(['', header]).slice(0)}`, matcher, () =>
        textMismatch(matcher, call.headers?.[header.toLowerCase()]),
      ),
    ),
    differ(`${base}.body`, expected.body, (body) => differenceOf(body, call.body)),
    differ(`${base}.kubectl`, expected.kubectl, (lines) => linesMismatch(lines, call)),
    differ(`${base}.input`, expected.input, (input) => inputMismatch(input, call.input ?? [])),
    differ(`${base}.plan`, expected.plan, (plan) => textMismatch(plan, call.plan?.join('\n'))),
  ].filter((difference) => difference !== undefined)
}

type CallTexts = Partial<Record<'shell' | 'command' | 'cwd' | 'method' | 'url' | 'image', string>>

function differ<T>(
  path: string,
  expected: T | undefined,
  compare: (expected: T) => string | undefined,
): Difference | undefined {
  const message = expected === undefined ? undefined : compare(expected)
  return message === undefined ? undefined : {path, message}
}

function textMismatch(expected: TextMatcher, actual: string | undefined): string | undefined {
  return actual === undefined ? 'there is none' : mismatchOf(expected, actual)
}

function missingName(names: readonly string[], env: readonly string[]): string | undefined {
  const missing = names.find((name) => !env.includes(name))
  return missing === undefined ? undefined : `${missing} is not set; set are ${env.join(', ') || 'none'}`
}

function linesMismatch(
  expected: TextMatcher | readonly TextMatcher[],
  {kubectl = [], unknown}: RecordedCall,
): string | undefined {
  const lines = Array.isArray(expected) ? (expected as readonly TextMatcher[]) : [expected as TextMatcher]
  const why = unknown === undefined ? '' : ` (${unknown})`
  if (lines.length !== kubectl.length)
    return `expected ${lines.length} command lines, got ${kubectl.length}: ${quote([...kubectl])}${why}`
  const mismatches = lines.map((line, index) => mismatchOf(line, kubectl[index] ?? ''))
  return mismatches.find((mismatch) => mismatch !== undefined)
}

/** One manifest or patch, or a list of them. */
function inputMismatch(expected: Json, actual: readonly Json[]): string | undefined {
  return differenceOf(Array.isArray(expected) ? expected : [expected], [...actual])
}
