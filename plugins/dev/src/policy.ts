import {access} from 'node:fs/promises'
import {anchor, userTrustPolicyPath} from '@atomctl/sdk/trust'
import type {Configuration, Environment} from '@atomctl/sdk/config'
import type {TrustPolicy} from '@atomctl/wpk/trust'

/** The trust policy as it is on the disk now, so that a key generated a moment ago counts. */
export type PolicySource = () => Promise<TrustPolicy>

/**
 * The policy file that services apply: the one named by flag, variable or the user's configuration, else the user's
 * own. A project's file does not count: services outlive the directory they were started in.
 */
export function policyFileOf(configuration: Configuration, environment: Environment): {file: string; isNamed: boolean} {
  const named = configuration.get('trust_policy', new Set(['flag', 'environment', 'user']))
  if (named) return {file: anchor(String(named.value), named.origin), isNamed: true}
  return {file: userTrustPolicyPath(environment), isNamed: false}
}

/**
 * Reads the file for every question. The user's own may be missing: then nothing is trusted, which is strict.
 * @throws TRUST_POLICY_INVALID from the source it returns.
 */
export function createPolicySource({file, isNamed}: {file: string; isNamed: boolean}): PolicySource {
  return async () => {
    const {defaultTrustPolicy, loadTrustPolicy} = await import('@atomctl/wpk/trust')
    return isNamed || (await isPresent(file)) ? loadTrustPolicy(file) : defaultTrustPolicy()
  }
}

async function isPresent(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    // a policy that is there and cannot be read is no reason to go on without it
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  )
}
