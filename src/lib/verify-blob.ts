import type {Readable} from 'node:stream'
import {AtomError} from '@atomctl/sdk/errors'
import {inputFailure, readInput, streamOf} from '@atomctl/sdk/files'
import type {VerificationResult} from '@atomctl/sdk/verification'
import type {IdentityTrust, KeyTrust} from '@atomctl/wpk/trust/artifact'

const BUNDLE_LIMIT = 2 << 20
const DIGEST = /^sha(256|384|512):[0-9a-f]+$/

/** Checks any file, or standard input as `-`, against a detached bundle and one key or identity, as `cosign verify-blob` does. */
export async function verifyBlob(
  file: string,
  bundleFile: string,
  trust: KeyTrust | IdentityTrust,
): Promise<VerificationResult> {
  if (DIGEST.test(file)) throw digestInsteadOfFile(file)
  if (file === '-' && bundleFile === '-') throw onlyOneInput()
  const {verifyArtifact} = await import('@atomctl/wpk/trust/artifact')
  const bundle = await readBundle(bundleFile)
  const {signers, warnings} = await verifyArtifact(bundle, contentOf(file), trust).catch((error: unknown) => {
    throw inputFailure(file, error)
  })
  const rule = 'publicKeyPem' in trust ? '--key' : '--certificate-identity'
  const verdict = {rule, level: 'strict', signers: [...signers], warnings: [...warnings]}
  return {subject: file, bundle: bundleFile, verdicts: [verdict]}
}

/** Checks any file against a bare signature and a key, as `cosign verify-blob --signature` does. */
export async function verifySignature(
  file: string,
  signatureFile: string,
  {publicKeyPem}: KeyTrust,
): Promise<VerificationResult> {
  if (DIGEST.test(file)) throw digestInsteadOfFile(file)
  if (file === '-' && signatureFile === '-') throw onlyOneInput()
  const {verifyBareSignature} = await import('@atomctl/wpk/trust/artifact')
  const text = Buffer.from(await readBundle(signatureFile)).toString('latin1')
  const {signers} = await verifyBareSignature(text, contentOf(file), publicKeyPem).catch((error: unknown) => {
    throw inputFailure(file, error)
  })
  return {subject: file, verdicts: [{rule: '--key', level: 'strict', signers: [...signers], warnings: []}]}
}

/** Read once, as a stream. */
function contentOf(file: string): () => Readable {
  return file === '-' ? () => process.stdin : streamOf(file)
}

function onlyOneInput(): AtomError {
  return new AtomError('USAGE', 'standard input is either the file or its signature', {
    hint: 'atomctl verify - --bundle BUNDLE --key cosign.pub < FILE',
  })
}

async function readBundle(path: string): Promise<Uint8Array> {
  return readInput(path, BUNDLE_LIMIT).catch((error: unknown) => {
    if ((error as {code?: string}).code !== 'WPK_UNREADABLE') throw error
    throw new AtomError('SIGNATURE_MALFORMED', `${path} is too large to be a signature bundle`, {cause: error})
  })
}

/** Whoever has only a digest has not seen the file; what is signed are its bytes. */
function digestInsteadOfFile(digest: string): AtomError {
  return new AtomError('USAGE', `${digest} is a digest: a signature is checked over the file itself`, {
    hint: 'atomctl verify FILE --bundle BUNDLE --key cosign.pub',
  })
}
