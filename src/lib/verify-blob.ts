import {AtomError} from '@atomctl/sdk/errors'
import {readInput, streamOf} from '@atomctl/sdk/files'
import {inputFailure} from '@atomctl/sdk/files'
import type {VerificationResult} from '@atomctl/sdk/verification'

const BUNDLE_LIMIT = 2 << 20

/** Checks any file against a detached bundle and one public key, as `cosign verify-blob --key` does. */
export async function verifyBlob(file: string, bundleFile: string, publicKeyPem: string): Promise<VerificationResult> {
  const {verifyArtifact} = await import('@atomctl/wpk/trust')
  const bundle = await readBundle(bundleFile)
  const {signers, warnings} = await verifyArtifact(bundle, streamOf(file), {publicKeyPem}).catch((error: unknown) => {
    throw inputFailure(file, error)
  })
  const verdict = {rule: '--key', level: 'strict', signers: [...signers], warnings: [...warnings]}
  return {subject: file, bundle: bundleFile, verdicts: [verdict]}
}

async function readBundle(path: string): Promise<Uint8Array> {
  return readInput(path, BUNDLE_LIMIT).catch((error: unknown) => {
    if ((error as {code?: string}).code !== 'WPK_UNREADABLE') throw error
    throw new AtomError('SIGNATURE_MALFORMED', `${path} is too large to be a signature bundle`, {cause: error})
  })
}
