import {AtomError} from '@atomctl/sdk/errors'
import {type Check, type CheckInput, type CheckResult, fail} from './check.ts'
import {checkConfiguration, checkTargets} from './configuration.ts'
import {checkEnvironment, checkHome, checkPath} from './environment.ts'
import {checkCache, checkNode, checkPlugins} from './installation.ts'
import {checkServices} from './services.ts'
import {checkSigningKey, checkTrustPolicy} from './trust.ts'
import {checkUpdates} from './updates.ts'

export type {CheckResult} from './check.ts'

const CHECKS: Readonly<Record<string, Check>> = {
  node: checkNode,
  environment: checkEnvironment,
  path: checkPath,
  home: checkHome,
  configuration: checkConfiguration,
  targets: checkTargets,
  services: checkServices,
  'signing key': checkSigningKey,
  'trust policy': checkTrustPolicy,
  cache: checkCache,
  plugins: checkPlugins,
  updates: checkUpdates,
}

/** Runs every check; one that breaks says so and the others go on. */
export async function runChecks(input: CheckInput): Promise<CheckResult[]> {
  const results = await Promise.all(
    Object.entries(CHECKS).map(([name, check]) =>
      check(input).catch((error: unknown) => [fail(name, error, 'atomctl doctor --debug')]),
    ),
  )
  return results.flat()
}

/** What the process ends with: nothing wrong, only services that do not answer now, or something to put right. */
export function verdictOf(results: readonly CheckResult[]): AtomError | undefined {
  const failed = results.filter(({status}) => status === 'fail')
  if (failed.length === 0) return undefined
  const names = [...new Set(failed.map(({check}) => check))].join(', ')
  const code = failed.every(({transient}) => transient) ? 'UNAVAILABLE' : 'CHECK_FAILED'
  return new AtomError(code, `doctor found problems: ${names}`)
}
