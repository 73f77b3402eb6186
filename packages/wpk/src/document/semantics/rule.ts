import type {Finding, Severity} from '../finding.ts'
import type {Wpk} from '../schema.ts'

/** A check beyond the shape: it may rely on every field having its type. */
export type SemanticRule = (wpk: Wpk) => Finding[]

export type Handler = Wpk['spec']['handlers'][number] & {undoes?: string | undefined}

export interface PlacedHandler {
  handler: Handler
  path: string
}

/** Handlers and rollback handlers, each with its place. */
export function placedHandlers(wpk: Wpk): PlacedHandler[] {
  return [
    ...place(wpk.spec.handlers, 'spec.handlers'),
    ...place(wpk.spec.rollback?.handlers ?? [], 'spec.rollback.handlers'),
  ]
}

function place(handlers: readonly Handler[], path: string): PlacedHandler[] {
  return handlers.map((handler, index) => ({handler, path: `${path}[${index}]`}))
}

export function finding(severity: Severity, rule: string, path: string, message: string, suggestion?: string): Finding {
  return {rule, severity, message, path, ...(suggestion !== undefined && {suggestion})}
}

export function meant(name: string | undefined): string | undefined {
  return name === undefined ? undefined : `did you mean ${name}?`
}
