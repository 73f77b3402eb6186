import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import type {JsonObject} from '@atomctl/protocol/values'
import type {HandlerResult, Plan, RunContext} from '../../src/handlers/handler.ts'
import {K8sHandler} from '../../src/handlers/k8s.ts'
import type {BlastLimit} from '../../src/options.ts'
import type {HandlerSpec} from '../../src/program.ts'
import {KubernetesDouble} from '../support/kubernetes/double.ts'
import {NO_SECRETS, type StepSecrets} from '../../src/secrets/step.ts'

export interface RunOptions {
  parameters?: JsonObject
  outputs?: Record<string, string>
  timeoutMs?: number
  signal?: AbortSignal
  key?: string
  executionId?: string
  /** Of the handler. */
  secrets?: StepSecrets
  spec?: Partial<HandlerSpec>
  earlier?: HandlerSpec[]
}

export function k8sSpec(config: object, spec: Partial<HandlerSpec> = {}): HandlerSpec {
  return {
    name: 'step',
    type: 'k8s',
    config: config as JsonObject,
    timeoutMs: undefined,
    maxAttempts: 1,
    backoffMs: 1,
    when: undefined,
    outputs: undefined,
    undoes: undefined,
    ...spec,
  }
}

/** The k8s handler with a kubectl, a double of a cluster, and a directory to work in. */
export class Bench {
  readonly cluster: KubernetesDouble
  readonly directory: string
  readonly handler: K8sHandler
  /** What was logged, `stream: text`. */
  readonly lines: string[] = []
  /** Of the safety policy. */
  limits: readonly BlastLimit[] = []

  private constructor(cluster: KubernetesDouble, directory: string, kubectl: string, kubeconfig: string) {
    this.cluster = cluster
    this.directory = directory
    const environment = {PATH: process.env['PATH'], HOME: this.directory, KUBECONFIG: kubeconfig}
    this.handler = new K8sHandler({kubectl, killGraceMs: 200, environment, limits: async () => this.limits})
  }

  static async start(kubectl: string): Promise<Bench> {
    const cluster = await KubernetesDouble.start()
    return new Bench(cluster, mkdtempSync(join(tmpdir(), 'k8s-step-')), kubectl, cluster.kubeconfig)
  }

  async stop(): Promise<void> {
    await this.cluster.stop()
    rmSync(this.directory, {recursive: true, force: true})
  }

  /** Another handler in the same place, with a kubeconfig of its own. */
  as(kubectl: string, kubeconfig: string): Bench {
    return new Bench(this.cluster, this.directory, kubectl, kubeconfig)
  }

  get text(): string {
    return this.lines.join('\n')
  }

  run(config: object, options: RunOptions = {}): Promise<HandlerResult> {
    this.lines.splice(0)
    return this.handler.run(k8sSpec(config, options.spec), this.#context(options))
  }

  async plan(
    config: object,
    {parameters = {}, outputs = {}, earlier = [], signal, spec}: RunOptions = {},
  ): Promise<Plan> {
    const scope = {executionId: 'e1', parameters, outputs}
    return this.handler.plan(k8sSpec(config, spec), scope, {signal: signal ?? new AbortController().signal, earlier})
  }

  #context({
    parameters = {},
    outputs = {},
    timeoutMs = 20_000,
    signal,
    key,
    executionId = 'e1',
    secrets = NO_SECRETS,
  }: RunOptions): RunContext {
    return {
      scope: {executionId, parameters, outputs},
      signal: signal ?? new AbortController().signal,
      timeoutMs,
      idempotencyKey: key ?? `${executionId}/handler/0`,
      recovered: false,
      directory: join(this.directory),
      secrets,
      log: (stream, text) => void this.lines.push(`${stream}: ${text}`),
    }
  }
}
