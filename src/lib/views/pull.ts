import {printable, type View} from '@atomctl/sdk/output'

export interface PulledPackage {
  id: string
  file: string
  digest: string
  /** Bytes. */
  size: number
  signers: string[]
}

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
