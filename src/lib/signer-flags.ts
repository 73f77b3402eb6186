import {AtomError} from '@atomctl/sdk/errors'
import type {KeyAccess} from '@atomctl/sdk/signing'
import {loadTrustRoot} from '@atomctl/sdk/sigstore'
import type {IdentityTrust, KeyTrust} from '@atomctl/wpk/trust/artifact'
import {readPublicKey} from './public-key.ts'

/** The flags of `verify` that name one signer and so take the place of the trust policy. */
export interface SignerFlags {
  readonly key?: string | undefined
  readonly 'certificate-identity'?: string | undefined
  readonly 'certificate-oidc-issuer'?: string | undefined
  readonly 'trusted-root'?: string | undefined
}

const ROOT_HINT = '--trusted-root FILE, or for the public Sigstore, asking the network: --trusted-root public-good'

/**
 * The one signer that the flags name; undefined without any of them.
 * @throws USAGE, INPUT_MISSING, KEY_INVALID, KEY_PASSWORD, TRUST_ROOT_INVALID, UNAVAILABLE
 */
export async function readSigner(flags: SignerFlags, access: KeyAccess): Promise<KeyTrust | IdentityTrust | undefined> {
  const {key, 'certificate-identity': identity, 'certificate-oidc-issuer': issuer, 'trusted-root': root} = flags
  if (key !== undefined) {
    const trustRoot = root === undefined ? {} : {trustRoot: await loadTrustRoot(root, access.atom.environment)}
    return {publicKeyPem: await readPublicKey(key, access), ...trustRoot}
  }
  if (identity === undefined || issuer === undefined) return refuseLoneRoot(root)
  if (root === undefined) throw new AtomError('USAGE', 'a certificate needs a trusted root', {hint: ROOT_HINT})
  return {identity, issuer, trustRoot: await loadTrustRoot(root, access.atom.environment)}
}

function refuseLoneRoot(root: string | undefined): undefined {
  if (root === undefined) return undefined
  throw new AtomError('USAGE', '--trusted-root alone names no signer', {
    hint: 'add --certificate-identity WHO --certificate-oidc-issuer URL, or --key FILE',
  })
}
