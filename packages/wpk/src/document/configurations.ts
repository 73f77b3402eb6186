import * as z from 'zod'

import {anything, closed, duration, mapping, placeholder, quantity, text} from './closed.ts'

/** What a handler's `config` may hold, per handler type and, for k8s, per action (atom-protocol.md 9.1). */
export const HANDLER_TYPES = ['k8s', 'shell', 'api', 'docker'] as const
export type HandlerType = (typeof HANDLER_TYPES)[number]

const environment = () => z.record(z.string(), z.string())

const count = () => z.union([z.number().int().min(0), placeholder()])

export const shellConfig = () =>
  closed({
    command: text().describe(
      'The command line; parameters arrive as environment variables, so the shell expands ${NAME}',
    ),
    shell: text().optional().describe('The shell that runs it; default sh'),
    cwd: text().optional().describe('Working directory, relative to the package'),
    env: environment().optional().describe('Environment variables added to the allow-listed ones'),
    image: text().optional().describe('Container image to run the command in, where the runtime offers that'),
  })

export const apiConfig = () =>
  closed({
    url: text().describe('Where the one HTTP request goes; may hold placeholders'),
    method: z
      .enum(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
      .optional()
      .describe('HTTP method; default GET'),
    headers: environment().optional().describe('Request headers; secrets belong in placeholders'),
    payload: anything().optional().describe('Request body: text as it is, anything else as JSON'),
    expected_status: z
      .union([z.number().int().min(100).max(599), z.array(z.number().int().min(100).max(599)).min(1)])
      .optional()
      .describe('HTTP status, or statuses, that mean success; default any 2xx'),
    condition: text().optional().describe('Expression over earlier results that must hold for the request to be made'),
  })

export const dockerConfig = () =>
  closed({
    image: text().describe('Image, pinned by tag or digest'),
    command: z
      .union([text(), z.array(z.string()).min(1)])
      .optional()
      .describe("A list is handed to the image as it is; a text is run by the container's shell"),
    env: environment().optional().describe('Environment of the container, beside the parameters'),
    mounts: z
      .array(dockerMount())
      .optional()
      .describe('Directories of the package mounted into the container; all of it is at /package anyway'),
    pull: z.enum(['always', 'missing', 'never']).optional().describe('When to pull the image; default missing'),
    privileged: z.boolean().optional().describe('Full access to the host; the lint objects and a runtime refuses'),
    network: text().optional().describe('Network to join; default none. host and container:NAME are refused'),
    user: text().optional().describe('User inside the container'),
    workdir: text().optional().describe('Working directory inside the container'),
    limits: closed({
      cpu: quantity().optional().describe('CPU, such as 500m'),
      memory: quantity().optional().describe('Memory, such as 128Mi'),
    })
      .optional()
      .describe('The most of cpu and memory that the container gets'),
  })

const dockerMount = () =>
  z.union([
    text(),
    closed({
      source: text().describe('Path in the package, or on the host'),
      target: text().describe('Path in the container'),
      read_only: z.boolean().optional().describe('Default true'),
    }),
  ])

const target = () => ({
  resource_type: text().optional().describe('Kind of the object, such as deployment, pod, job'),
  resource_name: text().optional().describe('Name of the object; filled from the parameter resource_name when absent'),
  selector: text().optional().describe('Label selector that chooses the objects, such as app=web'),
  namespace: text().optional().describe('Namespace; filled from the parameter namespace when absent'),
  context: text().optional().describe('kubeconfig context; default the current one'),
})

/** Each built when a package names it: making a schema takes longer than checking with it. */
const ACTIONS = {
  logs: () => ({
    lines: count().optional().describe('How many last lines'),
    previous: z.boolean().optional().describe('Logs of the previous container'),
    container: text().optional().describe('Container in the pod'),
    resource: text().optional().describe('Older name of resource_type'),
    since: duration().optional().describe('Only lines younger than this'),
    analysis: text().optional().describe('A note on what to look for; informational'),
  }),
  events: () => ({lines: count().optional().describe('How many last events')}),
  restart: () => ({grace_period: count().optional().describe('Seconds pods get to end')}),
  scale: () => ({
    replicas: z
      .union([z.number().int().min(0), z.literal('original'), placeholder()])
      .optional()
      .describe('New number of replicas; "original" restores the number before the run'),
    scale_factor: z.number().positive().optional().describe('Multiply the current replicas by this'),
    max_replicas: count().optional().describe('Upper bound for scale_factor'),
  }),
  wait: () => ({
    condition: text().optional().describe('ready, available, complete, or another kubectl wait condition'),
    timeout: duration().optional().describe('How long to wait; default 60s'),
  }),
  rollback: () => ({
    revision: z
      .union([z.literal('previous'), count()])
      .optional()
      .describe('Revision to return to; default previous'),
  }),
  get: () => ({
    field: text().optional().describe('JSONPath of the field to read'),
    name: text().optional().describe('Older name of resource_name'),
  }),
  patch: () => ({
    name: text().optional().describe('Older name of resource_name'),
    data: anything().optional().describe('The patch: a mapping, or the name of an earlier output'),
    patch: anything().optional().describe('The patch as a mapping'),
    strategy: z.enum(['strategic', 'merge', 'json']).optional().describe('Kind of patch; default strategic'),
  }),
  annotate: () => ({
    name: text().optional().describe('Older name of resource_name'),
    annotation: text().optional().describe('Key of the annotation'),
    value: z.union([z.string(), z.number(), z.boolean()]).optional().describe('Value of the annotation'),
    annotations: mapping().optional().describe('Several annotations at once'),
  }),
  label: () => ({
    label: text().optional().describe('Key of the label'),
    value: z.union([z.string(), z.number(), z.boolean()]).optional().describe('Value of the label'),
    labels: mapping().optional().describe('Several labels at once'),
  }),
  create: () => ({
    manifest: anything().optional().describe('The object to create'),
    template: anything().optional().describe('The object to create, or the name of a known template'),
    delay: text().optional().describe('A duration, or exponential_backoff'),
    max_retries: count().optional().describe('Bound for repeated creation'),
  }),
  apply: () => ({
    manifest: anything().optional().describe('The object, or list of objects, to apply'),
    file: text().optional().describe('Manifest file inside the package'),
  }),
  delete: () => ({
    name: text().optional().describe('Older name of resource_name'),
    grace_period: count().optional().describe('Seconds pods get to end'),
  }),
  exec: () => ({
    command: z.union([text(), z.array(z.string()).min(1)]).describe('Command to run in the container'),
    container: text().optional().describe('Container in the pod'),
  }),
  copy: () => ({
    source: text().describe('Where to copy from'),
    destination: text().describe('Where to copy to'),
    container: text().optional().describe('Container in the pod'),
  }),
  metrics: () => ({query: text().optional().describe('Metrics query; without one, kubectl top of the target')}),
  job: () => ({
    manifest: anything().optional().describe('The Job to run to completion'),
    image: text().optional().describe('Image, when no manifest is given'),
    command: z
      .union([text(), z.array(z.string()).min(1)])
      .optional()
      .describe('Command of the container'),
    name: text().optional().describe('Name of the Job'),
    timeout: duration().optional().describe('How long to wait for completion'),
  }),
  restore: () => ({
    backup_path: text().optional().describe('Backup to restore from'),
    subset: text().optional().describe('Part of the backup'),
    read_only: z.boolean().optional().describe('Restore without writing'),
  }),
} as const satisfies Record<string, () => z.core.$ZodLooseShape>

export type K8sAction = keyof typeof ACTIONS

/** Every action a k8s handler can name. */
export const K8S_ACTIONS = Object.keys(ACTIONS) as K8sAction[]

/** Pod settings that policy documents use on any action; the lint reads them. */
const pod = () => ({
  image: text().optional().describe('Container image'),
  privileged: z.boolean().optional().describe('Privileged container; the security lint objects'),
  replicas: ACTIONS.scale().replicas,
  read_only: z.boolean().optional().describe('Promise not to change anything'),
})

/** What each action does, in kubectl's words. */
const SUMMARIES: Record<K8sAction, string> = {
  logs: 'kubectl logs of the target',
  events: 'kubectl get events, of one kind where resource_type is given',
  restart: 'kubectl rollout restart',
  scale: 'kubectl scale, to replicas or by scale_factor',
  wait: 'kubectl wait or rollout status until the condition holds',
  rollback: 'kubectl rollout undo',
  get: 'kubectl get, or one field of it',
  patch: 'kubectl patch',
  annotate: 'kubectl annotate',
  label: 'kubectl label',
  create: 'kubectl create from a manifest or template',
  apply: 'kubectl apply of a manifest',
  delete: 'kubectl delete of the target',
  exec: 'kubectl exec in a pod',
  copy: 'kubectl cp',
  metrics: 'a metrics query, or kubectl top of the target',
  job: 'run a Job to completion',
  restore: 'known from older packages; no kubectl command does it',
}

export const k8sConfig = (action: K8sAction) =>
  closed({action: z.literal(action).describe('What to do'), ...pod(), ...target(), ...ACTIONS[action]()}).describe(
    SUMMARIES[action],
  )

export const CONFIGURATIONS = {shell: shellConfig, api: apiConfig, docker: dockerConfig} as const
