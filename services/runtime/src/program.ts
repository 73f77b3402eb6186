import type {Json, JsonObject} from '@atomctl/protocol/values'
import {parseDuration} from '@atomctl/wpk/document'

/** One handler as the interpreter runs it; durations in milliseconds. */
export interface HandlerSpec {
  readonly name: string
  readonly type: string
  readonly config: JsonObject
  readonly timeoutMs: number | undefined
  readonly maxAttempts: number
  readonly backoffMs: number
  readonly when: string | undefined
  readonly outputs: Json | undefined
  /** Rollback handlers only: the handler whose effect this one takes back. */
  readonly undoes: string | undefined
}

/** What an execution does, read out of a checked document. */
export interface Program {
  readonly name: string
  readonly handlers: readonly HandlerSpec[]
  /** Empty unless `rollback.enabled`. */
  readonly rollback: readonly HandlerSpec[]
  readonly mode: string
  readonly approvalRequired: boolean
  readonly dryRunRequired: boolean
}

/** Expects a document that passed `documentFromJson`. */
export function readProgram(document: JsonObject): Program {
  const spec = objectAt(document, 'spec')
  const safety = objectAt(spec, 'safety')
  const rollback = objectAt(spec, 'rollback')
  return {
    name: String(objectAt(document, 'metadata')['name']),
    handlers: handlersAt(spec),
    rollback: rollback['enabled'] === true ? handlersAt(rollback) : [],
    mode: String(safety['mode']),
    approvalRequired: safety['approval_required'] === true,
    dryRunRequired: safety['dry_run_required'] === true,
  }
}

function handlersAt(parent: JsonObject): HandlerSpec[] {
  const handlers = parent['handlers']
  return Array.isArray(handlers) ? handlers.filter(isObject).map(readHandler) : []
}

function readHandler(handler: JsonObject): HandlerSpec {
  const retry = objectAt(handler, 'retry')
  return {
    name: String(handler['name']),
    type: String(handler['type']),
    config: objectAt(handler, 'config'),
    timeoutMs: duration(handler['timeout']),
    maxAttempts: typeof retry['max_attempts'] === 'number' ? retry['max_attempts'] : 1,
    backoffMs: duration(retry['backoff']) ?? 1000,
    when: text(handler['when']),
    outputs: handler['outputs'],
    undoes: text(handler['undoes']),
  }
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function objectAt(parent: JsonObject, key: string): JsonObject {
  const value = parent[key]
  return isObject(value) ? value : {}
}

function duration(value: Json | undefined): number | undefined {
  return typeof value === 'string' ? parseDuration(value) : undefined
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}
