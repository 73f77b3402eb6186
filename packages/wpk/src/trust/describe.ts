import type {SignedBy, VerifiedDocument} from './verified.ts'

/** Who signed, which rule decided and what it let through, one fact per line, for people. */
export function describeVerification({verification, digest}: VerifiedDocument): string[] {
  const {rule, level, signers, files, warnings} = verification
  return [
    ...(signers.length > 0 ? signers.map(describeSigner) : ['Signed by: nobody that the trust policy trusts']),
    `Decided by: rule ${rule} (${level})`,
    `Digest: ${digest}`,
    ...(files.length > 0 ? [`Signed files: ${files.length}`] : []),
    ...warnings.map((warning) => `Warning: ${warning}`),
  ]
}

/** A signature by key carries no time that could be trusted, so none is shown. */
function describeSigner({key, fingerprint}: SignedBy): string {
  return `Signed by: ${key === undefined ? 'key' : `key ${key}`} ${fingerprint} (signing time not recorded)`
}
