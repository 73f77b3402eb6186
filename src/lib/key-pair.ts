import {access, rm} from 'node:fs/promises'
import {AtomError} from '@atomctl/sdk/errors'
import {stageFile} from '@atomctl/sdk/files'
import type {KeyPair} from '@atomctl/wpk/signing'

export interface KeyPairFiles {
  readonly privateKey: string
  readonly publicKey: string
}

/** `<prefix>.key` and `<prefix>.pub`, as cosign names them. */
export function keyPairFiles(prefix: string): KeyPairFiles {
  return {privateKey: `${prefix}.key`, publicKey: `${prefix}.pub`}
}

/** Refuses before a password is asked for. @throws OUTPUT_EXISTS */
export async function refuseExisting(files: KeyPairFiles): Promise<void> {
  for (const path of [files.privateKey, files.publicKey]) {
    const exists = await access(path).then(
      () => true,
      () => false,
    )
    if (exists) throw existing(path)
  }
}

/** Writes both halves or none; the private one only for its owner (0600). @throws OUTPUT_EXISTS, OUTPUT_FAILED */
export async function writeKeyPair(pair: KeyPair, files: KeyPairFiles, force: boolean): Promise<void> {
  const exclusive = !force
  await using privateKey = await stageFile(files.privateKey, pair.privateKeyPem, {mode: 0o600, exclusive})
  await using publicKey = await stageFile(files.publicKey, pair.publicKeyPem, {mode: 0o644, exclusive})
  await privateKey.commit()
  try {
    await publicKey.commit()
  } catch (error) {
    if (exclusive) await rm(files.privateKey, {force: true})
    throw error
  }
}

function existing(path: string): AtomError {
  return new AtomError('OUTPUT_EXISTS', `${path} exists already`, {
    hint: 'choose another name with --output-key-prefix, or replace it with --force (what it signed stays signed by it)',
  })
}
