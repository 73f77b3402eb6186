import {join} from 'node:path'
import type {Signer} from '@atomctl/wpk/signing'
import {homeOf} from '../config/environment.ts'
import type {AtomContext} from '../context.ts'
import {AtomError} from '../errors.ts'
import {readIdentityToken} from './identity-token.ts'
import {
  parseSigningConfig,
  readSigningConfig,
  type ServiceFlags,
  servicesOf,
  type SigstoreServices,
} from './services.ts'
import {PUBLIC_GOOD} from './trusted-root.ts'

/** The flags of keyless signing. */
export interface KeylessFlags extends ServiceFlags {
  readonly 'identity-token'?: string | undefined
  readonly 'signing-config'?: string | undefined
}

/**
 * A signer with a certificate for the identity in the token.
 * @throws USAGE, CONFIG_INVALID, INPUT_MISSING, IDENTITY_TOKEN_INVALID, UNAVAILABLE, REQUEST_REJECTED
 */
export async function createKeylessSigner(flags: KeylessFlags, context: AtomContext): Promise<Signer> {
  const services = await readServices(flags, context)
  const token = await readIdentityToken(flags['identity-token'], context)
  const {certifySigner} = await import('./keyless-signer.ts')
  return certifySigner(token, services)
}

async function readServices(flags: KeylessFlags, {environment}: AtomContext): Promise<SigstoreServices> {
  const file = flags['signing-config']
  if (file === undefined) return servicesOf(flags)
  if (file !== PUBLIC_GOOD) return readSigningConfig(file)
  try {
    const {fetchSigningConfig} = await import('./tuf.ts')
    return parseSigningConfig(await fetchSigningConfig(join(homeOf(environment), 'sigstore')), PUBLIC_GOOD)
  } catch (cause) {
    const message = `the signing config of the public Sigstore cannot be fetched: ${(cause as Error).message}`
    throw new AtomError('UNAVAILABLE', message, {hint: 'try again', cause})
  }
}
