import {stat} from 'node:fs/promises'
import {isAtomError} from '@atomctl/sdk/errors'
import {loadSigningKey, readKeyFile, signingKeyPath} from '@atomctl/sdk/signing'
import type {Finding} from '@atomctl/wpk/document'
import {policyFilesInForce} from '../trust-policy/files.ts'
import {type Check, type CheckResult, fail, ok, warn} from './check.ts'

/** The signing key: there, readable, encrypted, and nobody else's. Its password is tried when it is in the environment, never asked for. */
export const checkSigningKey: Check = async ({atom}) => {
  if (atom.configurationError) return []
  const path = signingKeyPath(atom)
  try {
    const [pem, {isSealedKey}] = await Promise.all([readKeyFile(path), import('@atomctl/wpk/signing')])
    if (!isSealedKey(pem)) {
      return [fail('signing key', `${path} is not an encrypted private key`, `atomctl keys import ${path}`)]
    }
    if (atom.environment['COSIGN_PASSWORD'] !== undefined) await loadSigningKey({atom, interactive: false})
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
    return [
      fail(
        'signing key',
        error,
        'atomctl config set signing_key FILE',
        atom.configuration.get('signing_key')?.origin.where,
      ),
    ]
  }
}

/** The trust policies in force: whether they can be used, and what in them is seldom meant. */
export const checkTrustPolicy: Check = async ({atom, now}) => {
  if (atom.configurationError) return []
  const files = await policyFilesInForce(atom)
  if (files.length > 0) return (await Promise.all(files.map((file) => checkPolicyFile(file, now())))).flat()
  return [warn('trust policy', 'none: no signature is trusted', 'atomctl keys generate --trust')]
}

async function checkPolicyFile(file: string, now: Date): Promise<CheckResult[]> {
  const policies = await import('@atomctl/wpk/trust/policy-check')
  try {
    const {findings, keys, rules} = await policies.checkTrustPolicy(file, now)
    const broken = findings.some(({severity}) => severity === 'error')
    const summary = broken ? [] : [ok('trust policy', `${file}: ${keys} keys, ${rules} rules`)]
    return [...summary, ...findings.map((finding) => policyResult(file, finding))]
  } catch (error) {
    return [fail('trust policy', error, `atomctl trust-policy check ${file}`, file)]
  }
}

function policyResult(file: string, {severity, message, position, suggestion}: Finding): CheckResult {
  const where = position ? `${file}:${position.line}:${position.column}` : file
  const fix = suggestion ?? `edit it, then: atomctl trust-policy check ${file}`
  return severity === 'error'
    ? fail('trust policy', new Error(message), fix, where)
    : warn('trust policy', message, fix, where)
}
