import {AtomError, isAtomError} from '@atomctl/sdk/errors'
import {readInput, streamOf} from '@atomctl/sdk/files'
import type {Environment} from '@atomctl/sdk/config'
import type {TrustedSigner} from './trust-schema.ts'

const KEY_LIMIT = 64 << 10
const BUNDLE_LIMIT = 2 << 20

/** How the ledger names a signer: the key's fingerprint, or the identity and who vouched for it. */
export async function signerId(signer: TrustedSigner): Promise<string> {
  if (!('key' in signer)) return `${signer.identity} (${signer.issuer})`
  const {keyFingerprint} = await import('@atomctl/wpk/signing')
  return keyFingerprint(await readKey(signer.key))
}

/**
 * Which of these signers signed a tarball, by the Sigstore bundle beside it. Offline.
 * @throws WPK_TAMPERED, SIGNATURE_MALFORMED when the bundle is not about these bytes, KEY_INVALID, PLUGIN_TRUST_INVALID
 */
export async function findSigners(
  tarball: string,
  bundle: string,
  signers: readonly TrustedSigner[],
  environment: Environment,
): Promise<string[]> {
  const {verifyArtifact} = await import('@atomctl/wpk/trust/artifact')
  const bytes = await readInput(bundle, BUNDLE_LIMIT)
  const found: string[] = []
  for (const signer of signers) {
    try {
      await verifyArtifact(bytes, streamOf(tarball), await trustIn(signer, environment))
      found.push(await signerId(signer))
    } catch (error) {
      if (!isAtomError(error) || error.code !== 'SIGNER_UNTRUSTED') throw error
    }
  }
  return [...new Set(found)]
}

async function trustIn(signer: TrustedSigner, environment: Environment) {
  if ('key' in signer) return {publicKeyPem: await readKey(signer.key)}
  const {loadTrustRoot} = await import('@atomctl/sdk/sigstore')
  const trustRoot = await loadTrustRoot(signer.trusted_root, environment)
  return {identity: signer.identity, issuer: signer.issuer, trustRoot}
}

async function readKey(path: string): Promise<string> {
  const bytes = await readInput(path, KEY_LIMIT).catch((cause: unknown) => {
    throw new AtomError('PLUGIN_TRUST_INVALID', `the trust list names the key ${path}: ${(cause as Error).message}`, {
      hint: 'put the public key there, or edit the list',
      cause,
    })
  })
  return new TextDecoder().decode(bytes)
}
