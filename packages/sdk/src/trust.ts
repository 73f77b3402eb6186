import {access} from 'node:fs/promises'
import {dirname, join, resolve} from 'node:path'
import type {TrustPolicy} from '@atomctl/wpk/trust'
import type {Configuration} from './config/configuration.ts'
import {type Environment, homeOf} from './config/environment.ts'
import type {Origin} from './config/settings.ts'

/** A trust policy in force and the file it came from (undefined: the built-in strict default). */
export interface PolicyInForce {
  readonly policy: TrustPolicy
  readonly file: string | undefined
}

/** Path of the user's own trust policy. */
export function userTrustPolicyPath(environment: Environment): string {
  return join(homeOf(environment), 'trust-policy.yaml')
}

/** Path of the policy that is the user's to change: the one named by flag, variable or user configuration, or theirs. */
export function ownTrustPolicyPath(configuration: Configuration, environment: Environment): string {
  const named = configuration.get('trust_policy', OWN)
  return named ? anchor(String(named.value), named.origin) : userTrustPolicyPath(environment)
}

const OWN: ReadonlySet<Origin['kind']> = new Set(['flag', 'environment', 'user'])

/**
 * The policies a package must satisfy, all of them: the user's, and beside it one that a project file names.
 * A project can so tighten what the user trusts and never loosen it (a cloned repository is not the user).
 * @throws TRUST_POLICY_INVALID; a policy that is named and missing is an error, never "no policy".
 */
export async function loadPoliciesInForce(
  configuration: Configuration,
  environment: Environment,
): Promise<PolicyInForce[]> {
  const own = configuration.get('trust_policy', OWN)
  const project = configuration.get('trust_policy', new Set(['project']))
  const policies = [await loadOwnPolicy(own && anchor(String(own.value), own.origin), environment)]
  if (project) policies.push(await loadNamedPolicy(anchor(String(project.value), project.origin)))
  return policies
}

async function loadOwnPolicy(named: string | undefined, environment: Environment): Promise<PolicyInForce> {
  if (named) return loadNamedPolicy(named)
  const path = userTrustPolicyPath(environment)
  if (await exists(path)) return loadNamedPolicy(path)
  const {defaultTrustPolicy} = await import('@atomctl/wpk/trust')
  return {policy: defaultTrustPolicy(), file: undefined}
}

async function loadNamedPolicy(file: string): Promise<PolicyInForce> {
  const {loadTrustPolicy} = await import('@atomctl/wpk/trust')
  return {policy: await loadTrustPolicy(file), file}
}

/** A path in a file is relative to that file, one from a flag or a variable to the working directory. */
export function anchor(path: string, origin: Origin): string {
  if (origin.kind !== 'project' && origin.kind !== 'user') return resolve(path)
  return resolve(dirname(origin.where.replace(/:\d+:\d+$/, '')), path)
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path)
    return true
  } catch (error) {
    // anything but "not there" means there is a policy that cannot be read: loading it says why
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}
