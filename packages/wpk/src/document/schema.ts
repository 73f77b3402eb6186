import * as z from 'zod'

import {anything, closed, duration, mapping, quantity, text} from './closed.ts'

/**
 * The package format in zod: the one source of the checks, of the editors' JSON Schema and of `explain`
 * (spec: WPK format, "Schema"). `config` is checked per handler type by configurations.ts.
 */
const NAME = /^[a-z0-9-]+$/
const VERSION = /^(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)$/

const metadata = () =>
  closed({
    name: z
      .string()
      .max(128)
      .regex(NAME, 'must hold only lower-case letters, digits and hyphens')
      .describe('Name of the package; with the version it is its id'),
    version: z
      .string()
      .max(64)
      .regex(VERSION, 'must be three numbers such as "1.0.0"')
      .describe('Version, three numbers N.N.N, quoted'),
    description: z.string().describe('What the workflow does, for people'),
    author: z.string().describe('Who answers for it'),
    created: z.string().optional().describe('ISO 8601 time of creation, quoted'),
    tags: z.array(z.string()).optional().describe('Words the registry can filter by'),
    signature: z.string().optional().describe('Signature bundle, written by atomctl sign; "" is unsigned'),
  })

const RUNTIMES = ['k8s', 'kubernetes', 'docker', 'shell', 'api'] as const

const runtime = () =>
  closed({
    type: z.enum(RUNTIMES).describe('Platform the workflow is for; informational'),
    version: text().optional().describe('Least platform version, such as "1.28+"'),
    requirements: closed({
      cpu: quantity().optional().describe('CPU, such as 100m'),
      memory: quantity().optional().describe('Memory, such as 128Mi'),
      storage: quantity().optional().describe('Storage, such as 1Gi'),
    })
      .optional()
      .describe('What the workflow itself needs'),
  })

const safety = () =>
  closed({
    mode: z.enum(['manual', 'auto']).describe('manual: a person starts it; auto: a trigger may'),
    approval_required: z.boolean().optional().describe('A second person must approve each run'),
    dry_run_required: z.boolean().optional().describe('A dry run must pass first'),
    rollback_enabled: z.boolean().optional().describe('States that spec.rollback is enabled'),
  })

const trigger = () =>
  closed({
    type: z.enum(['event', 'schedule', 'webhook']).describe('What starts the workflow'),
    config: closed({
      source: text().optional().describe('event: prometheus or kubernetes'),
      condition: text().optional().describe('event: expression that must hold'),
      duration: duration().optional().describe('event: how long it must hold'),
      namespace: text().optional().describe('event: namespace, "*" is all'),
      resource_type: text().optional().describe('event: kind of object'),
      cron: text().optional().describe('schedule: five cron fields'),
      timezone: text().optional().describe('schedule: IANA time zone; default UTC'),
      path: text().optional().describe('webhook: path of the URL'),
      auth: text().optional().describe('webhook: bearer'),
    }).describe('Settings of the trigger'),
  })

const retry = () =>
  closed({
    max_attempts: z.number().int().min(1).max(100).describe('Attempts in all, the first included'),
    backoff: duration().optional().describe('Pause before the second attempt'),
  })

const suppression = () =>
  closed({
    rule: text().describe('Id of the security rule, such as external_network'),
    reason: z
      .string()
      .trim()
      .min(8, 'must say why, in 8 characters or more')
      .describe('Why the finding is acceptable here'),
  })

const HANDLER = {
  name: text().max(128).describe('Name of the step, unique in the package'),
  type: text().describe('k8s, shell, api or docker'),
  config: mapping().describe('Settings of the handler; see wpk.spec.handlers.k8s, .shell, .api, .docker'),
  description: z.string().optional().describe('What the step is for'),
  timeout: duration().optional().describe('Longest time for one attempt'),
  retry: retry().optional().describe('Further attempts after a failure'),
  outputs: mapping().optional().describe('Values later steps can use'),
  when: text().optional().describe('Expression that must hold for the step to run'),
  steps: z.array(mapping()).optional().describe('Older dialect; checked for security, never run'),
  'x-atom-ignore': z.array(suppression()).optional().describe('Security findings set aside, each with its reason'),
}

/** The mark tells the JSON Schema where `config` depends on `type`. */
const handler = <Extra extends z.core.$ZodLooseShape>(extra: Extra) =>
  closed({...HANDLER, ...extra}).meta({handler: true})

const rollback = () =>
  closed({
    enabled: z.boolean().optional().describe('Whether a failed run is rolled back'),
    handlers: z
      .array(handler({undoes: text().optional().describe('Name of the handler this one undoes')}))
      .optional()
      .describe('Steps that undo, run in reverse order of what completed'),
  })

export const PARAMETER_TYPES = [
  'string',
  'integer',
  'number',
  'boolean',
  'array',
  'object',
  'duration',
  'secret',
] as const

export const parameterSchema = () =>
  closed({
    name: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,62}$/, 'must be lower-case letters, digits and _, at most 63')
      .describe('Name; ${NAME} and ${params.name} both stand for it'),
    type: z.enum(PARAMETER_TYPES).describe('Type of the value'),
    required: z.boolean().optional().describe('Whether a run without it is refused'),
    description: z.string().optional().describe('What it is for'),
    default: anything().optional().describe('Value when none is given'),
    schema: mapping().optional().describe('JSON Schema keywords the value must satisfy'),
    sources: z
      .array(z.enum(['vault', 'env', 'file', 'prompt']))
      .min(1)
      .optional()
      .describe('secret: where it may come from, in order'),
    vault: closed({path: text().describe('Path of the secret'), key: text().describe('Key inside it')})
      .optional()
      .describe('secret: place in Vault'),
  })

const validation = () =>
  closed({
    schema_version: text().optional().describe('v1'),
    required_permissions: z.array(z.string()).optional().describe('Permissions as resource/verb'),
    resource_limits: mapping().optional().describe('Bounds such as max_pods, max_storage'),
  })

const alert = () =>
  closed({
    type: text().describe('slack or email'),
    webhook: text().optional().describe('slack: where to post'),
    channel: text().optional().describe('slack: channel'),
    recipients: z.array(text()).optional().describe('email: who gets it'),
    on_failure: z.boolean().optional().describe('Send when the run fails'),
    on_success: z.boolean().optional().describe('Send when the run completes'),
  })

const monitoring = () =>
  closed({
    metrics_enabled: z.boolean().optional().describe('Collect metrics of the run'),
    logging_level: z.enum(['debug', 'info', 'warn', 'error']).optional().describe('Least level that is logged'),
    alerts: z.array(alert()).optional().describe('Whom to tell'),
  })

const spec = () =>
  closed({
    runtime: runtime().describe('Platform and needs'),
    safety: safety().describe('How much care a run needs'),
    triggers: z.array(trigger()).optional().describe('What may start the workflow'),
    parameters: z
      .array(parameterSchema())
      .max(100)
      .optional()
      .describe('Inputs; without this list any JSON object is accepted'),
    handlers: z.array(handler({})).min(1, 'No handlers defined').describe('Steps, run in order'),
    rollback: rollback().optional().describe('How to undo'),
    validation: validation().optional().describe('Permissions and bounds'),
    monitoring: monitoring().optional().describe('Metrics, logging, alerts'),
  })

function buildSchema() {
  // zod compiles validators at their first use: 13 ms before the first document, and no faster after six hundred.
  z.config({jitless: true})
  return closed({
    apiVersion: z.literal('v1').describe('Version of the format'),
    kind: z.literal('WorkflowPackage').describe('Always WorkflowPackage'),
    metadata: metadata().describe('Who and what'),
    spec: spec().describe('What to do'),
  })
}

let schema: ReturnType<typeof buildSchema> | undefined

/** The zod schema, built on first use: most commands never need it. */
export function packageSchema(): ReturnType<typeof buildSchema> {
  return (schema ??= buildSchema())
}

export const wpkSchema = z.lazy(packageSchema)

/** A package as the schema describes it. */
export type Wpk = z.output<ReturnType<typeof buildSchema>>
