// A file of its own, loaded only by who reads a plan. The import of zod is static: of `import('zod')` a bundler keeps
// everything, in the chunk that every command loads.
import * as z from 'zod'

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/)

/** A plan file as `run --plan-out` writes it. */
export const planSchema = z.object({
  apiVersion: z.literal('atomctl/v1'),
  kind: z.literal('ExecutionPlan'),
  workflow_id: z.string(),
  document_digest: digest,
  parameters_digest: digest,
  target: z.string(),
  created: z.iso.datetime(),
  execution_id: z.string(),
  steps: z.array(z.object({name: z.string(), type: z.string(), status: z.string()})),
  log: z.array(z.string()),
})
