import {stat} from 'node:fs/promises'
import {isAtomError} from '@atomctl/sdk/errors'
import type {PolicyInForce} from '@atomctl/sdk/trust'
import {readKeyFile, signingKeyPath} from '@atomctl/sdk/signing'
import {type Check, type CheckInput, type CheckResult, fail, ok, warn} from './check.ts'

/** The signing key: there, readable, encrypted, and nobody else's. Its password is not asked for. */
export const checkSigningKey: Check = async ({atom}) => {
  if (atom.configurationError) return []
  const path = signingKeyPath(atom)
  try {
    const [pem, {isSealedKey}] = await Promise.all([readKeyFile(path), import('@atomctl/wpk/signing')])
    if (!isSealedKey(pem)) {
      return [fail('signing key', `${path} is not an encrypted private key`, `atomctl keys import ${path}`)]
    }
    const {mode} = await stat(path)
    if (process.platform === 'win32' || (mode & 0o077) === 0) return [ok('signing key', path)]
    return [
      warn('signing key', `${path} can be read by others (mode ${(mode & 0o777).toString(8)})`, `chmod 600 ${path}`),
    ]
  } catch (error) {
    const unnamed = atom.configuration.get('signing_key') === undefined
    if (unnamed && isAtomError(error) && error.code === 'INPUT_MISSING') {
      return [
        warn('signing key', 'none: no key is configured and there is no ./cosign.key', 'atomctl keys generate --trust'),
      ]
    }
    return [fail('signing key', error, 'atomctl config set signing_key FILE')]
  }
}

/** The trust policies in force, and keys in them that can no longer vouch for anything. */
export const checkTrustPolicy: Check = async (input) => {
  if (input.atom.configurationError) return []
  try {
    const policies = await input.atom.trustPolicies()
    return policies.flatMap((policy) => describePolicy(policy, input))
  } catch (error) {
    return [fail('trust policy', error, 'edit the policy')]
  }
}

function describePolicy({policy, file}: PolicyInForce, {now}: CheckInput): CheckResult[] {
  if (file === undefined) {
    return [warn('trust policy', 'none: no signature is trusted', 'atomctl keys public --key FILE --trust')]
  }
  const {keys, rules} = policy
  const dead = [...keys.values()].filter(
    ({revoked, notAfter}) => revoked || (notAfter !== undefined && notAfter < now()),
  )
  return [
    ok('trust policy', `${file}: ${keys.size} keys, ${rules.length} rules`),
    ...dead.map(({name, revoked}) =>
      warn('trust policy', `the key ${name} is ${revoked ? 'revoked' : 'past its notAfter date'}`, `edit ${file}`),
    ),
  ]
}
