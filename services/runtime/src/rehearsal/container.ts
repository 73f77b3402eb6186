import {refuseContainer, type Finding} from '@atomctl/wpk/document'
import {checkContainer} from '../docker/check.ts'
import {describeContainer} from '../docker/container.ts'
import {fillImage} from '../docker/reference.ts'
import {failure, valuesOf, type Handler, type HandlerResult, type Plan, type RunContext} from '../handlers/handler.ts'
import type {HandlerSpec} from '../program.ts'
import type {RehearsedCall} from './calls.ts'

/** Docker handlers without a container engine: what they check and refuse, but nothing that could run one. */
export class ContainerWords implements Handler {
  readonly type = 'docker'

  check(spec: HandlerSpec): Finding[] {
    return checkContainer(spec)
  }

  refuse({config}: HandlerSpec): string | undefined {
    return refuseContainer(config)?.message
  }

  plan(): Plan {
    return {outcome: 'unknown', lines: ['UNKNOWN: a rehearsal has no container engine']}
  }

  run(): Promise<HandlerResult> {
    return Promise.resolve(failure('a rehearsal runs no container'))
  }
}

interface Body {
  readonly Entrypoint?: readonly string[]
  readonly Cmd?: readonly string[]
  readonly Env: readonly string[]
}

/** The container as the engine would be asked for it; mounts are left out, as they are looked for on the disk. */
export function describeContainerCall(spec: HandlerSpec, context: RunContext): RehearsedCall {
  const {mounts: _mounts, ...config} = spec.config
  const values = valuesOf(context.scope)
  const image = fillImage(String(config['image']), values)
  const placement = {...context, executionId: context.scope.executionId, outputFile: '', sockets: []}
  const body = describeContainer({...spec, config}, image, values, placement) as Body
  const own = new Set(['ATOM_EXECUTION_ID', 'ATOM_IDEMPOTENCY_KEY', 'ATOM_OUTPUT', 'ATOM_PACKAGE'])
  const env = body.Env.map((variable) => variable.replace(/=.*$/s, '')).filter((name) => !own.has(name))
  const shell = body.Entrypoint === undefined ? {} : {shell: body.Entrypoint.join(' ')}
  return {image, ...shell, ...(body.Cmd === undefined ? {} : {command: body.Cmd.join(' ')}), env}
}
