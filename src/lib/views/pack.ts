import {oneLine, type View} from '@atomctl/sdk/output'
import type {PackedPackage} from '@atomctl/sdk/packing'

export const packView: View<PackedPackage> = {
  kind: 'PackedPackage',
  text: ({file, digest, size, files, bundle, fingerprint, identity, issuer}, style) =>
    [
      `${style.good('[SUCCESS]')} ${bundle === undefined ? 'Packed WPK' : 'Signed and packed'}: ${oneLine(file)}`,
      `  Digest: ${digest}`,
      `  Size: ${size} bytes, ${files} ${files === 1 ? 'file' : 'files'}`,
      ...(bundle === undefined ? [] : [signerText(identity, issuer, fingerprint), `  Bundle: ${oneLine(bundle)}`]),
    ].join('\n'),
  names: ({file}) => [file],
}

function signerText(identity: string | undefined, issuer = '', fingerprint = ''): string {
  return identity === undefined
    ? `  Key: ${fingerprint}`
    : `  Signed By: ${oneLine(identity)} (issuer ${oneLine(issuer)})`
}
