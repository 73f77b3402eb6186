import {oneLine, type View} from '@atomctl/sdk/output'
import type {SignedFileResult} from '@atomctl/sdk/signing'

export const signView: View<SignedFileResult[]> = {
  kind: 'SignedFiles',
  text: (signed, style) =>
    signed
      .flatMap(({file, fingerprint, digest, identity, issuer, signatures = 1}) => [
        `${style.good('[SUCCESS]')} Signed: ${oneLine(file)}`,
        identity === undefined
          ? `  Key: ${fingerprint}`
          : `  Signed By: ${oneLine(identity)} (issuer ${oneLine(issuer ?? '')})`,
        ...(signatures === 1 ? [] : [`  Signatures: ${signatures}`]),
        ...(digest === undefined ? [] : [`  Digest: ${digest}`]),
      ])
      .join('\n'),
  names: (signed) => signed.map(({id, file}) => id ?? file),
  items: (signed) => signed,
}
