import type {PulledPackage} from '@atomctl/sdk/download'
import {printable, type View} from '@atomctl/sdk/output'

export const pullView: View<PulledPackage> = {
  kind: 'PulledPackage',
  text: ({id, file, digest, signers}, style) =>
    [
      `${style.good('[SUCCESS]')} WPK pulled and verified: ${printable(file)}`,
      `  Workflow ID: ${id}`,
      `  Digest: ${digest}`,
      ...signers.map((signer) => `  Signed by: ${signer}`),
    ].join('\n'),
  names: ({file}) => [file],
}
