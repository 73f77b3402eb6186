import type {Json, JsonObject} from '@atomctl/protocol/values'
import {AtomError} from '@atomctl/wpk/errors'

type Operand = {readonly literal: Json} | {readonly path: readonly string[]}
type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'contains'

export interface Comparison {
  readonly left: Operand
  readonly operator: Operator
  readonly right: Operand
}

/** Comparisons that must all hold. */
export type Condition = readonly Comparison[]

export const CONDITION_FORM = 'NAME == VALUE, with == != < <= > >= or contains, joined by &&; texts in quotes'

const COMPARISON =
  /^\s*("[^"]*"|'[^']*'|\$\{[^}]+\}|[\w.-]+)\s*(==|!=|<=|>=|<|>|\bcontains\b)\s*("[^"]*"|'[^']*'|\$\{[^}]+\}|[\w.-]+)\s*$/
const NUMBER = /^-?\d+(\.\d+)?$/
const NAME = /^[A-Za-z_]\w*(\.[\w-]+)*$/

/**
 * The small language of `when` and `condition`: comparisons of names and literals, nothing that computes.
 * Throws WPK_INVALID for everything else.
 */
export function parseCondition(text: string): Condition {
  return text.split('&&').map((part) => {
    const match = COMPARISON.exec(part)
    const [, left, operator, right] = match ?? []
    const operands = [left, right].map((operand) => (operand === undefined ? undefined : parseOperand(operand)))
    if (!operands[0] || !operands[1]) {
      throw new AtomError('WPK_INVALID', `"${part.trim().slice(0, 200)}" is not a condition this runtime understands`, {
        hint: `Write ${CONDITION_FORM}`,
      })
    }
    return {left: operands[0], operator: operator as Operator, right: operands[1]}
  })
}

/** First segments of the names in a condition, for checking that something can fill them. */
export function namesIn(condition: Condition): string[] {
  return condition
    .flatMap(({left, right}) => [left, right])
    .flatMap((operand) => ('path' in operand && operand.path[0] !== undefined ? [operand.path[0]] : []))
}

/** Undefined when a name has no value here, as an output has none before its handler ran. */
export function evaluate(condition: Condition, values: JsonObject): boolean | undefined {
  let known = true
  for (const {left, operator, right} of condition) {
    const [a, b] = [valueOf(left, values), valueOf(right, values)]
    if (a === undefined || b === undefined) known = false
    else if (!compare(a, operator, b)) return false
  }
  return known ? true : undefined
}

function parseOperand(text: string): Operand | undefined {
  if (/^["']/.test(text)) return {literal: text.slice(1, -1)}
  if (NUMBER.test(text)) return {literal: Number(text)}
  if (text === 'true' || text === 'false') return {literal: text === 'true'}
  if (text === 'null') return {literal: null}
  const name = text.startsWith('${') ? text.slice(2, -1) : text
  if (!NAME.test(name)) return undefined
  const path = name.split('.')
  const isPrefixed = path.length > 1 && (path[0] === 'params' || path[0] === 'outputs')
  return {path: isPrefixed ? path.slice(1) : path}
}

function valueOf(operand: Operand, values: JsonObject): Json | undefined {
  if ('literal' in operand) return operand.literal
  const [name = '', ...rest] = operand.path
  let value: Json | undefined = own(values, name) ?? own(values, name.toLowerCase())
  for (const key of rest) value = own(value, key)
  return value
}

function own(value: Json | undefined, key: string): Json | undefined {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
  return (value as JsonObject)[key]
}

function compare(a: Json, operator: Operator, b: Json): boolean {
  if (operator === 'contains')
    return Array.isArray(a) ? a.some((item) => isSame(item, b)) : String(a).includes(String(b))
  if (operator === '==') return isSame(a, b)
  if (operator === '!=') return !isSame(a, b)
  const [left, right] = [Number(a), Number(b)]
  if (operator === '<') return left < right
  if (operator === '<=') return left <= right
  return operator === '>' ? left > right : left >= right
}

/** Outputs are texts, so `count == 3` compares by what is written. */
function isSame(a: Json, b: Json): boolean {
  if (typeof a === 'object' || typeof b === 'object') return JSON.stringify(a) === JSON.stringify(b)
  return String(a) === String(b)
}
