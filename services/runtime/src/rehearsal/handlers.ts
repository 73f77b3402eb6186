import {ApiHandler} from '../handlers/api.ts'
import type {Handler} from '../handlers/handler.ts'
import {K8sHandler} from '../handlers/k8s.ts'
import {ShellHandler} from '../handlers/shell.ts'
import type {RehearsalCluster} from './cluster.ts'
import {ContainerWords} from './container.ts'

/** The handlers that are asked what they would do. None of them gets anything with which it could do it. */
export function realHandlers(cluster: RehearsalCluster): ReadonlyMap<string, Handler> {
  const handlers: Handler[] = [
    new ShellHandler({environment: {}, killGraceMs: 0}),
    new ApiHandler({request: () => Promise.reject(new Error('a rehearsal sends nothing'))}),
    new ContainerWords(),
    new K8sHandler({kubectl: 'kubectl', environment: {}, killGraceMs: 0, run: cluster.run}),
  ]
  return new Map(handlers.map((handler) => [handler.type, handler]))
}
