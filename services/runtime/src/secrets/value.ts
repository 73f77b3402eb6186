import type {Json} from '@atomctl/protocol/values'
import {SecretError} from './errors.ts'
import {SHORTEST} from './forms.ts'

/** Of a value, in bytes: every form of it is looked for in everything that a step writes. */
const LARGEST = 32 * 1024

/**
 * What cannot be taken out of logs with certainty, or given to a program, is not used at all. Throws SECRET_INVALID,
 * which names the place and not the value.
 */
export function usable(value: Json, place: string): string {
  const refuse = (why: string): SecretError => new SecretError('SECRET_INVALID', `${place} ${why}`)
  if (typeof value !== 'string') throw refuse('is not a string')
  const size = Buffer.byteLength(value)
  if (Buffer.byteLength(value.trim()) < SHORTEST)
    throw refuse(`is shorter than ${SHORTEST} bytes: it could not be kept out of logs`)
  if (size > LARGEST) throw refuse(`is larger than ${LARGEST} bytes`)
  if (value.includes('\0')) throw refuse('holds a NUL character, which no environment variable can')
  return value
}
