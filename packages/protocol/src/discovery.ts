import * as z from 'zod'

export const PROTOCOL_VERSION = '1'

/** What a service can do beyond the original protocol. The client uses an extra only when it is announced. */
export const REGISTRY_CAPABILITIES = [
  'digests',
  'immutable',
  'pagination',
  'search',
  'tarballs',
  'versions',
  'verified-upload',
  'whoami',
] as const
export const RUNTIME_CAPABILITIES = [
  'approvals',
  'audit',
  'cancel',
  'events',
  'idempotency-key',
  'list-executions',
  'parameters',
  'retry',
  'rollback',
  'steps',
  'verified-execution',
  'whoami',
] as const

/** `GET /.well-known/atom`. A 404 means an original service: no extras. */
export const discovery = z.looseObject({
  service: z.enum(['registry', 'runtime']),
  version: z.string(),
  protocol: z.string(),
  capabilities: z.array(z.string()),
  /** Handler types a runtime can execute. */
  handlers: z.array(z.string()).optional(),
})
export type Discovery = z.infer<typeof discovery>

export const health = z.looseObject({status: z.string(), timestamp: z.string().optional()})
