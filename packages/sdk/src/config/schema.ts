import {parseDuration} from '@atomctl/wpk/document'
import * as z from 'zod'

const url = z.string().refine(isHttpUrl, 'not an http or https URL without credentials, query or fragment')
const duration = z.string().refine((text) => (parseDuration(text) ?? 0) > 0, 'not a duration such as 5s or 1m30s')

// the Python CLI wrote `auth_token: null` for "not set"
const target = {
  registry_url: url.nullish(),
  runtime_url: url.nullish(),
  auth_token: z.string().nullish(),
}

export const contextFile = z.strictObject({
  ...target,
  protected: z.boolean().optional(),
  parameters: z.record(z.string(), z.unknown()).optional(),
})

/** `config.yaml` and `.atomctl.yaml` (CLI contract, Settings). Closed: a misspelt key must not be ignored. */
export const configurationFile = z.strictObject({
  ...target,
  signing_key: z.string().min(1).optional(),
  trust_policy: z.string().min(1).optional(),
  plugin_trust: z.string().min(1).optional(),
  output: z.enum(['table', 'wide', 'json', 'yaml', 'name', 'ndjson']).optional(),
  connect_timeout: duration.optional(),
  request_timeout: duration.optional(),
  retry_attempts: z.number().int().min(1).max(10).optional(),
  current_context: z.string().min(1).optional(),
  update_url: url.optional(),
  update_key: z.string().min(1).optional(),
  update_identity: z.string().min(1).optional(),
  update_issuer: z.string().min(1).optional(),
  update_trusted_root: z.string().min(1).optional(),
  update_notice: z.enum(['on', 'off']).optional(),
  contexts: z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/), contextFile).optional(),
})

export type ConfigurationFile = z.infer<typeof configurationFile>
export type ContextFile = z.infer<typeof contextFile>

function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false
  const {protocol, username, password, search, hash} = new URL(text)
  return (protocol === 'http:' || protocol === 'https:') && !username && !password && !search && !hash
}
