import {AtomError} from '@atomctl/sdk/errors'
import {suggestName} from '@atomctl/sdk/suggest'
import type {FieldDoc} from '@atomctl/wpk/document'
import {type ErrorSection, readErrorSections} from './error-sections.ts'

/** What `explain` found: a place of the format, an error code, or a rule of the security policy. */
export type Explanation =
  | ({readonly kind: 'field'} & FieldDoc)
  | ({readonly kind: 'error'; readonly code: string} & ErrorSection)
  | {
      readonly kind: 'rule'
      readonly rule: string
      readonly level: string
      readonly cwe: string
      readonly advice: string
    }

/** @throws USAGE with the nearest word that can be explained; `root` is the folder of the package. */
export async function explain(word: string, root: string): Promise<Explanation> {
  const [code, sections] = [word.toUpperCase(), await readErrorSections(root)]
  const section = sections.get(code)
  if (section) return {kind: 'error', code, ...section}
  const [{explainField}, {LINT_RULES}] = await Promise.all([
    import('@atomctl/wpk/document'),
    import('@atomctl/wpk/lint'),
  ])
  if (/^wpktest\b/.test(word)) return explainTest(word)
  const field = explainField(word)
  if (field) return {kind: 'field', ...field}
  if (Object.hasOwn(LINT_RULES, word)) return {kind: 'rule', rule: word, ...LINT_RULES[word as keyof typeof LINT_RULES]}
  throw new AtomError('USAGE', `there is nothing to explain about ${JSON.stringify(word)}`, {
    hint: suggestion(word, explainField, Object.keys(LINT_RULES), [...sections.keys()]),
  })
}

async function explainTest(word: string): Promise<Explanation> {
  const {explainTestField} = await import('@atomctl/wpk/tests')
  const field = explainTestField(word)
  if (field) return {kind: 'field', ...field}
  throw new AtomError('USAGE', `there is nothing to explain about ${JSON.stringify(word)}`, {
    hint: suggestion(word, explainTestField),
  })
}

function suggestion(
  word: string,
  explainField: (path: string) => FieldDoc | undefined,
  rules: readonly string[] = [],
  codes: readonly string[] = [],
): string {
  const named = /^[A-Z_]+$/.test(word) ? suggestName(word, codes) : suggestName(word, [...rules, ...codes])
  if (named) return `did you mean: atomctl explain ${named}`
  const segments = word.split('.')
  for (let depth = segments.length - 1; depth > 0; depth--) {
    const parent = explainField(segments.slice(0, depth).join('.'))
    if (!parent) continue
    const nearest = suggestName(segments[depth] ?? '', [...parent.fields.map(({name}) => name), ...parent.topics])
    return `atomctl explain ${nearest ? `${parent.path}.${nearest}` : parent.path}`
  }
  return `atomctl explain ${segments[0] === 'wpktest' ? 'wpktest' : 'wpk'}`
}
