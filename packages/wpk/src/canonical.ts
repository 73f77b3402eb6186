import {createHash} from 'node:crypto'

import serialize from 'canonicalize'

import {AtomError} from './errors.ts'

/** Any value that JSON can hold; the only values that documents, parameters and results consist of. */
export type Json = null | boolean | number | string | Json[] | JsonObject
export interface JsonObject {
  [key: string]: Json
}

const encoder = new TextEncoder()

/**
 * The bytes that are signed: RFC 8785 (JCS) of the document without `/metadata/signature`. The value is not changed.
 * Throws WPK_INVALID for values JSON cannot hold (NaN, undefined, lone surrogates, cycles).
 */
export function canonicalize(value: Json): Uint8Array {
  return canonicalJson(withoutSignature(value))
}

/** RFC 8785 (JCS) of any JSON value. Throws WPK_INVALID for values JSON cannot hold. */
export function canonicalJson(value: Json): Uint8Array {
  assertJson(value, '', new Set())
  return encoder.encode(serialize(value))
}

/** `sha256:<hex>` of the signed bytes: the identity of a document, whatever its comments, order and signature. */
export function documentDigest(value: JsonObject): string {
  return `sha256:${createHash('sha256').update(canonicalize(value)).digest('hex')}`
}

function withoutSignature(value: Json): Json {
  if (!isObject(value) || !isObject(value['metadata'])) return value
  const {signature: _, ...metadata} = value['metadata']
  return {...value, metadata}
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The serializer follows JSON.stringify and drops `undefined` silently; what is signed must never be less than what is read. */
function assertJson(value: unknown, path: string, ancestors: Set<object>): void {
  if (value === null || typeof value === 'boolean') return
  if (typeof value === 'string') return assertWellFormed(value, path)
  if (typeof value === 'number') return assertFinite(value, path)
  if (typeof value !== 'object' || !isPlain(value)) throw notJson(typeof value, path)
  if (ancestors.has(value)) throw notJson('a value that contains itself', path)
  ancestors.add(value)
  for (const [key, child] of Object.entries(value)) {
    assertWellFormed(key, path)
    assertJson(child, `${path}/${key}`, ancestors)
  }
  ancestors.delete(value)
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return Object.keys(value).length === value.length
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

function assertWellFormed(text: string, path: string): void {
  if (!text.isWellFormed()) throw notJson('a string with a lone surrogate', path)
}

function assertFinite(value: number, path: string): void {
  if (!Number.isFinite(value)) throw notJson(String(value), path)
}

function notJson(what: string, path: string): AtomError {
  return new AtomError('WPK_INVALID', `Cannot canonicalize ${path || 'the document'}: ${what} is not a JSON value`, {
    hint: 'use only strings, finite numbers, true, false, null, lists and mappings',
  })
}
