import {AtomError, type ErrorCode, ERRORS} from '@atomctl/sdk/errors'
import {closest} from '@atomctl/sdk/suggest'
import type {FieldDoc} from '@atomctl/wpk/document'

/** What `explain` found: a place of the format, an error code, or a rule of the security policy. */
export type Explanation =
  | ({readonly kind: 'field'} & FieldDoc)
  | {readonly kind: 'error'; readonly code: string; readonly exit: number; readonly summary: string}
  | {
      readonly kind: 'rule'
      readonly rule: string
      readonly level: string
      readonly cwe: string
      readonly advice: string
    }

/** @throws USAGE with the nearest word that can be explained */
export async function explain(word: string): Promise<Explanation> {
  const code = word.toUpperCase()
  if (Object.hasOwn(ERRORS, code)) return {kind: 'error', code, ...ERRORS[code as ErrorCode]}
  const [{explainField}, {LINT_RULES}] = await Promise.all([
    import('@atomctl/wpk/document'),
    import('@atomctl/wpk/lint'),
  ])
  if (/^wpktest\b/.test(word)) return explainTest(word)
  const field = explainField(word)
  if (field) return {kind: 'field', ...field}
  if (Object.hasOwn(LINT_RULES, word)) return {kind: 'rule', rule: word, ...LINT_RULES[word as keyof typeof LINT_RULES]}
  throw new AtomError('USAGE', `there is nothing to explain about ${JSON.stringify(word)}`, {
    hint: suggestion(word, explainField, Object.keys(LINT_RULES)),
  })
}

async function explainTest(word: string): Promise<Explanation> {
  const {explainTestField} = await import('@atomctl/wpk/tests')
  const field = explainTestField(word)
  if (field) return {kind: 'field', ...field}
  throw new AtomError('USAGE', `there is nothing to explain about ${JSON.stringify(word)}`, {
    hint: suggestion(word, explainTestField, []),
  })
}

function suggestion(
  word: string,
  explainField: (path: string) => FieldDoc | undefined,
  rules: readonly string[],
): string {
  const named = /^[A-Z_]+$/.test(word) ? closest(word, Object.keys(ERRORS)) : closest(word, rules)
  if (named) return `did you mean: atomctl explain ${named}`
  const segments = word.split('.')
  for (let depth = segments.length - 1; depth > 0; depth--) {
    const parent = explainField(segments.slice(0, depth).join('.'))
    if (!parent) continue
    const nearest = closest(segments[depth] ?? '', [...parent.fields.map(({name}) => name), ...parent.topics])
    return `atomctl explain ${nearest ? `${parent.path}.${nearest}` : parent.path}`
  }
  return `atomctl explain ${segments[0] === 'wpktest' ? 'wpktest' : 'wpk'}`
}
