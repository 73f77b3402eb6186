import {oneLine, type Style, type View} from '@atomctl/sdk/output'
import {provenanceLines} from './provenance.ts'
import type {Verdict, VerificationResult} from '@atomctl/sdk/verification'

/** Who signed, with what key, which rule of which policy decided. */
export const verifyView: View<VerificationResult> = {
  kind: 'Verification',
  text: (result, style) =>
    [headline(result, style), ...facts(result), ...built(result), ...result.verdicts.flatMap(verdictLines)].join('\n'),
  names: ({id, subject}) => [id ?? subject],
}

function headline({verdicts, subject}: VerificationResult, style: Style): string {
  const signed = verdicts.every(({signers}) => signers.length > 0)
  if (signed) return `${style.good('[SUCCESS]')} Signature verified: ${oneLine(subject)}`
  return `${style.warning('[WARNING]')} Accepted without a trusted signature: ${oneLine(subject)}`
}

function facts({id, digest, files, bundle}: VerificationResult): string[] {
  return [
    ...(id === undefined ? [] : [`  Package: ${id}`]),
    ...(digest === undefined ? [] : [`  Digest: ${digest}`]),
    ...(files === undefined || files === 0 ? [] : [`  Signed Files: ${files}`]),
    ...(bundle === undefined ? [] : [`  Bundle: ${oneLine(bundle)}`]),
  ]
}

/** The same whichever policy looked at it: policies differ in whom they trust. */
function built({verdicts}: VerificationResult): string[] {
  const [provenance] = verdicts.flatMap((verdict) => verdict.provenance ?? [])
  return provenance ? provenanceLines(provenance) : []
}

function verdictLines({policy, rule, level, signers}: Verdict): string[] {
  return [
    ...signers.flatMap(signerLines),
    `  Decided By: rule ${rule} (${level})${policy === undefined ? '' : ` of ${oneLine(policy)}`}`,
  ]
}

function signerLines({key, fingerprint, identity, issuer, signedAt}: Verdict['signers'][number]): string[] {
  const name = key === undefined ? 'key' : `${key}, key`
  const who =
    identity === undefined ? `${name} ${fingerprint}` : `${oneLine(identity)} (issuer ${oneLine(issuer ?? '')})`
  return [`  Signed By: ${who}`, ...(signedAt === undefined ? [] : [`  Signed At: ${signedAt.replace('.000Z', 'Z')}`])]
}
