import type {Json} from '@atomctl/protocol/values'
import {buildRequest} from '../handlers/api-request.ts'
import {valuesWithSecrets, type Handler, type RunContext} from '../handlers/handler.ts'
import {describeCommand} from '../handlers/shell.ts'
import {parseJson} from '../kubernetes/values.ts'
import type {HandlerSpec} from '../program.ts'
import type {RehearsalCluster} from './cluster.ts'
import {describeContainerCall} from './container.ts'

/** What an attempt would have done to the world; only the keys of its handler's type are there. */
export interface RehearsedCall {
  readonly image?: string
  readonly shell?: string
  readonly command?: string
  readonly cwd?: string
  readonly env?: readonly string[]
  readonly method?: string
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Json
  readonly kubectl?: readonly string[]
  readonly input?: readonly Json[]
  /** The lines of a dry run. */
  readonly plan?: readonly string[]
  /** Why it cannot be told. */
  readonly unknown?: string
}

const RUN = 'would run: '
/** Added by this program to every change, and of no interest to who wrote the package. */
const OWN_FLAG = / --field-manager=atomctl\b/

/** Asks the code that would run the step what it would run. Throws AtomError where the values make nothing of it. */
export async function describeCall(
  spec: HandlerSpec,
  context: RunContext,
  {handler, cluster}: {handler: Handler | undefined; cluster: RehearsalCluster},
): Promise<RehearsedCall> {
  if (spec.type === 'shell') return describeShell(spec, context)
  if (spec.type === 'api') return describeRequest(spec, context)
  if (spec.type === 'docker') return describeContainerCall(spec, context)
  if (handler === undefined) return {}
  const {scope, signal, idempotencyKey, secrets} = context
  const {outcome, lines} = await handler.plan(spec, scope, {signal, idempotencyKey, earlier: [], given: secrets})
  const plan = lines.map((line) => line.replace(OWN_FLAG, ''))
  const unknown = outcome === 'ready' ? {} : {unknown: lines.at(-1) ?? 'cannot be planned'}
  if (spec.type !== 'k8s') return {plan, ...unknown}
  const kubectl = plan.filter((line) => line.startsWith(RUN)).map((line) => line.slice(RUN.length))
  return {kubectl, input: cluster.takeSent(), plan, ...unknown}
}

function describeShell(spec: HandlerSpec, context: RunContext): RehearsedCall {
  const {shell, command, cwd, env} = describeCommand(spec, valuesWithSecrets(context))
  return {shell, command, env, ...(cwd === undefined ? {} : {cwd})}
}

function describeRequest(spec: HandlerSpec, context: RunContext): RehearsedCall {
  const {method, url, headers, body} = buildRequest(spec, context)
  return {method, url: url.href, headers, ...(body === undefined ? {} : {body: parseJson(body) ?? body})}
}
