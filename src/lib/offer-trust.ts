import {askYesNo} from '@atomctl/sdk/prompt'
import type {KeyAccess} from '@atomctl/sdk/signing'
import {type TrustedKeyEntry, trustPublicKey} from './trusted-key.ts'

/** Adds a key to the user's trust policy when a flag says so, or a person does; undefined when it was not. */
export async function offerTrust(
  wanted: boolean | undefined,
  publicKeyPem: string,
  name: string,
  {atom, interactive}: KeyAccess,
): Promise<TrustedKeyEntry | undefined> {
  const agreed = wanted ?? (interactive && (await askYesNo('Trust packages signed with this key on this machine?')))
  return agreed ? trustPublicKey(atom, publicKeyPem, name) : undefined
}
