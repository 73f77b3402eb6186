import type * as z from 'zod'

import type {Json} from '../canonical.ts'
import type {Finding} from './finding.ts'
import {appendPath, formatPath} from './path.ts'
import {packageSchema} from './schema.ts'
import {suggestName} from '../suggestion.ts'

type Issue = z.core.$ZodIssue

/** Everything the package schema has to say about a value, in the words of the original tool where it had any. */
export function checkShape(value: Json): Finding[] {
  return schemaFindings(packageSchema(), value, [])
}

/** The findings of one zod schema on a value that sits at `base` in the document. */
export function schemaFindings(schema: z.ZodType, value: Json, base: readonly PropertyKey[]): Finding[] {
  const result = schema.safeParse(value)
  if (result.success) return []
  return result.error.issues.flatMap((issue) => issueFindings(issue, value, base))
}

function issueFindings(issue: Issue, value: Json, base: readonly PropertyKey[]): Finding[] {
  const path = formatPath([...base, ...issue.path])
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue, key, path))
  const found = valueAt(value, issue.path)
  if (found === undefined) return [missing([...base, ...issue.path])]
  if (issue.code === 'too_small' && issue.message === 'No handlers defined') return [handlersMissing(path)]
  return [wrongValue(issue, found, path)]
}

function missing(segments: readonly PropertyKey[]): Finding {
  const path = formatPath(segments)
  if (path === 'spec.handlers') return handlersMissing(path)
  return {rule: 'schema_required', severity: 'error', message: missingMessage(segments, path), path}
}

function missingMessage(segments: readonly PropertyKey[], path: string): string {
  const [spec, handlers, index, ...field] = segments
  if (spec !== 'spec' || handlers !== 'handlers' || field.length === 0) return `Missing required field: ${path}`
  return `Handler ${String(index)}: missing ${formatPath(field)}`
}

function handlersMissing(path: string): Finding {
  return {rule: 'schema_required', severity: 'error', message: 'No handlers defined', path}
}

function unknownKey(issue: Issue, key: string, path: string): Finding {
  const {known = []} = issue as {known?: string[]}
  const meant = suggestName(key, known)
  return {
    rule: 'schema_unknown_key',
    severity: 'error',
    message: `Unknown field: ${appendPath(path, key)}`,
    path: appendPath(path, key),
    suggestion: meant ? `did you mean ${meant}?` : `known here: ${known.join(', ')}; start own fields with x-`,
  }
}

function wrongValue(issue: Issue, found: Json, path: string): Finding {
  const finding: Finding = {
    rule: issue.code === 'invalid_type' ? 'schema_type' : 'schema_value',
    severity: 'error',
    message: `${path || 'The document'} ${requirement(issue)}, not ${describeValue(found)}`,
    path,
  }
  if (issue.code === 'invalid_type' && issue.expected === 'string' && typeof found !== 'object') {
    return {...finding, suggestion: 'put it in quotes, as it is meant to read'}
  }
  const meant = issue.code === 'invalid_value' ? suggestName(String(found), issue.values.map(String)) : undefined
  return meant ? {...finding, suggestion: `did you mean ${meant}?`} : finding
}

function requirement(issue: Issue): string {
  if (issue.code === 'invalid_type') return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`
  if (issue.code === 'invalid_value') return `must be ${issue.values.map((value) => String(value)).join(' or ')}`
  if (issue.code === 'invalid_union') return unionRequirement(issue)
  return issue.message.startsWith('must') ? issue.message : `is not valid (${issue.message})`
}

function unionRequirement(issue: z.core.$ZodIssueInvalidUnion): string {
  const options = issue.errors
    .map((branch) => (branch[0] ? requirement(branch[0]) : ''))
    .filter((option) => option !== '')
  return [...new Set(options)].join(', or ') || 'has none of the allowed forms'
}

const TYPE_NAMES: Record<string, string> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
}

/** Short and without secrets: long text is cut, collections are named by kind. */
export function describeValue(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  const text = typeof value === 'string' ? JSON.stringify(value) : `the ${typeof value} ${value}`
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

export function valueAt(value: Json, path: readonly PropertyKey[]): Json | undefined {
  let at: Json | undefined = value
  for (const segment of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, segment)) return undefined
    at = (at as Record<PropertyKey, Json>)[segment]
  }
  return at
}
