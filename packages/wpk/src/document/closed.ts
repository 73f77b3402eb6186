import * as z from 'zod'

import type {Json} from '../canonical.ts'
import {parseDuration} from './duration.ts'
import {parseQuantity} from './quantity.ts'

/** Keys an author may add anywhere; no program reads them but the author's own. */
export const EXTENSION = /^x-/

/** A mapping with exactly these keys, `x-…` excepted. Unknown keys are found even beside other errors. */
export function closed<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = new Set(Object.keys(shape))
  const check = z.check<object>(({value, issues}) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return
    const keys = Object.keys(value).filter((key) => !known.has(key) && !EXTENSION.test(key))
    if (keys.length > 0) issues.push(unknownKeys(keys, [...known], value))
  })
  check._zod.def.when = () => true
  return z.looseObject(shape).check(check).meta({closed: true})
}

/** `known` travels along so that the finding can say what was meant. */
function unknownKeys(keys: string[], known: string[], input: object): z.core.$ZodRawIssue {
  return {code: 'unrecognized_keys', keys, known, input: input as Record<string, unknown>}
}

/** Any JSON value; documents come through the gate, so there is nothing left to check inside. */
export const anything = () => z.unknown() as unknown as z.ZodType<Json>

export const mapping = () => z.record(z.string(), anything())

export const text = () => z.string().min(1, 'must not be empty')

export const duration = () =>
  z
    .string()
    .refine((value) => parseDuration(value) !== undefined, 'must be a duration such as 30s, 5m, 1h30m or 500ms')
    .meta({pattern: '^(\\d+(\\.\\d+)?(ms|s|m|h))+$', examples: ['30s', '5m', '1h30m']})

export const quantity = () =>
  z
    .string()
    .refine((value) => parseQuantity(value) !== undefined, 'must be a Kubernetes quantity such as 100m, 128Mi or 1Gi')
    .meta({pattern: '^(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d+|[numkMGTPE]|[KMGTPE]i)?$', examples: ['100m', '128Mi']})

/** A number or boolean field that a placeholder may fill at run time. */
export const placeholder = () =>
  z.string().regex(/\$\{[^{}]{1,200}\}/, 'must be a value or a placeholder such as ${NAME}')
