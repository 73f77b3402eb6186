import type {LocalRuntime, LocalRuntimeOptions} from '../local.ts'

/**
 * `config.runHook('local_runtime', options)`: how `run FILE --local` gets a runtime in its own process, while only
 * this plugin knows the services. An error is in the hook result's `failures`.
 */
export default async function startRuntime(options: LocalRuntimeOptions): Promise<LocalRuntime> {
  const {startLocalRuntime} = await import('../local.ts')
  return startLocalRuntime(options)
}
