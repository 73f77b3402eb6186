import * as z from 'zod'
import {json, timestamp} from './values.ts'

/** A workflow id, `<name>-<version>`; stricter than the original service, which accepts a trailing newline. */
export const workflowId = z.string().regex(/^[a-z0-9-]+-[0-9]+\.[0-9]+\.[0-9]+$/, 'not <name>-<version>')

/**
 * One entry of the list (protocol section 2.3). Loose on purpose: the original stores whatever YAML gave,
 * so `tags`, `safety_mode`, `runtime_type` and `created` can be any JSON. Fields after `registered_at` are
 * present only where the service announces or fills them.
 */
export const workflowEntry = z.looseObject({
  id: z.string(),
  name: z.string(),
  version: z.string(),
  description: json.optional(),
  author: json.optional(),
  created: json.optional(),
  tags: json.optional(),
  safety_mode: json.optional(),
  runtime_type: json.optional(),
  file_path: z.string().optional(),
  signature: json.optional(),
  registered_at: timestamp.optional(),
  signed_at: timestamp.optional(),
  latest_run_id: json.optional(),
  latest_run_status: json.optional(),
  latest_run_at: timestamp.optional(),
  total_runs: z.number().optional(),
  /** Extra `digests`: `sha256:<hex>` of the stored bytes. */
  digest: z.string().optional(),
  /** Extra `digests`: `sha256:<hex>` of the canonical document (RFC 8785, without the signature). */
  document_digest: z.string().optional(),
  /** Extra `digests`: size of the stored bytes. */
  size: z.number().int().nonnegative().optional(),
  /** Extra `tarballs`: `application/yaml` or `application/gzip`. */
  media_type: z.string().optional(),
})
export type WorkflowEntry = z.infer<typeof workflowEntry>

export const workflowDetail = workflowEntry.extend({wpk_content: z.record(z.string(), json)})
export type WorkflowDetail = z.infer<typeof workflowDetail>

export const workflowList = z.looseObject({
  workflows: z.array(workflowEntry),
  total: z.number().int(),
  /** Extra `pagination`: pass back as `cursor`; absent or null on the last page. */
  next_cursor: z.string().nullish(),
})
export type WorkflowList = z.infer<typeof workflowList>

/** Query of the list. `limit` and the rest below it are extras; the original ignores them. */
export const workflowQuery = z.object({
  tag: z.string().optional(),
  runtime: z.string().optional(),
  safety_mode: z.string().optional(),
  name: z.string().optional(),
  q: z.string().max(256).optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  cursor: z.string().max(512).optional(),
})
export type WorkflowQuery = z.infer<typeof workflowQuery>

export const pushReply = z.looseObject({
  message: z.string().optional(),
  workflow_id: z.string(),
  status: z.string(),
  /** Extra `digests`. */
  digest: z.string().optional(),
  /** Extra `immutable`: false when the same bytes were there already. */
  created: z.boolean().optional(),
})
export type PushReply = z.infer<typeof pushReply>

/** The words are free, but there are some: a page that answers 200 to everything must not pass for a deletion. */
export const deleteReply = z.looseObject({message: z.string()})

export const versionList = z.looseObject({
  name: z.string(),
  versions: z.array(z.looseObject({version: z.string(), id: z.string(), digest: z.string(), registered_at: timestamp})),
})
export type VersionList = z.infer<typeof versionList>

export const dryRunIssue = z.looseObject({
  rule_id: z.string(),
  severity: z.string(),
  message: z.string(),
  path: z.string(),
  suggestion: z.string().nullish(),
  cwe: z.string().nullish(),
})

/** `POST /workflows/{id}/dry-run` (protocol section 2.7): a static check, nothing runs. */
export const staticDryRun = z.looseObject({
  workflow_id: z.string(),
  validation: z.looseObject({
    valid: z.boolean(),
    risk_score: z.number(),
    issues: z.array(dryRunIssue),
    policy_decision: z.enum(['approve', 'review', 'block']),
    approval_required: z.boolean(),
    errors: z.array(z.string()),
    warnings: z.array(z.string()),
  }),
  category: z.looseObject({
    categories: z.array(z.string()),
    risk_level: z.enum(['low', 'medium', 'high', 'critical']),
    resource_types: z.array(z.string()),
    complexity: z.enum(['simple', 'moderate', 'complex']),
    automation_level: z.enum(['manual', 'semi_automated', 'fully_automated']),
  }),
  approval_request: z.looseObject({}).nullable(),
  recommendation: z.looseObject({can_execute: z.boolean(), requires_approval: z.boolean(), safety_mode: json}),
  timestamp,
  dry_run_id: z.string(),
})
export type StaticDryRun = z.infer<typeof staticDryRun>

export const runHistory = z.looseObject({
  workflow_id: z.string(),
  runs: z.array(
    z.looseObject({run_id: z.string(), status: z.string(), duration_ms: z.number().nullable(), created_at: timestamp}),
  ),
  page: z.number(),
  limit: z.number(),
  total: z.number(),
})
export type RunHistory = z.infer<typeof runHistory>
