import type {Json} from '@atomctl/protocol/values'
import type {TextMatcher} from '@atomctl/wpk/tests'

/** Why a text is not what is expected; undefined when it is. Line ends at its end do not count. */
export function mismatchOf(expected: TextMatcher, actual: string): string | undefined {
  const text = actual.trimEnd()
  if (typeof expected === 'string')
    return text === expected.trimEnd() ? undefined : `expected ${quote(expected)}, got ${quote(text)}`
  const {equals, contains, not_contains: absent, matches} = expected
  if (equals !== undefined && text !== equals.trimEnd()) return `expected ${quote(equals)}, got ${quote(text)}`
  const missing = listOf(contains).find((part) => !actual.includes(part))
  if (missing !== undefined) return `${quote(missing)} is not in ${quote(text)}`
  const present = listOf(absent).find((part) => actual.includes(part))
  if (present !== undefined) return `${quote(present)} is in ${quote(text)}`
  return matches === undefined ? undefined : patternMismatch(matches, actual)
}

function patternMismatch(pattern: string, actual: string): string | undefined {
  try {
    return new RegExp(pattern, 'm').test(actual) ? undefined : `/${pattern}/ does not match ${quote(actual.trimEnd())}`
  } catch {
    return `/${pattern}/ is not a regular expression`
  }
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === 'string' ? [value] : value
}

/** Why JSON is not what is expected: keys that are not named may be there, lists are whole. */
export function differenceOf(expected: Json, actual: Json | undefined, path = ''): string | undefined {
  if (isMapping(expected) && isMapping(actual)) {
    const differences = Object.entries(expected).map(([key, value]) =>
      differenceOf(value, actual[key], path === '' ? key : `${path}.${key}`),
    )
    return differences.find((difference) => difference !== undefined)
  }
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    const differences = expected.map((value, index) => differenceOf(value, actual[index], `${path}[${index}]`))
    return differences.find((difference) => difference !== undefined)
  }
  if (JSON.stringify(expected) === JSON.stringify(actual)) return undefined
  const place = path === '' ? '' : `${path}: `
  return `${place}expected ${quote(expected)}, got ${actual === undefined ? 'nothing' : quote(actual)}`
}

const LONGEST = 300

export function quote(value: Json): string {
  const text = JSON.stringify(value)
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

function isMapping(value: Json | undefined): value is {[key: string]: Json} {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
