import {printable, type View} from '@atomctl/sdk/output'
import type {UpdateReport} from '../update/report.ts'

export const updateView: View<UpdateReport> = {
  kind: 'UpdateCheck',
  text: ({running, listed, available, listing, signer, file}, style) =>
    [
      `${style.good('[SUCCESS]')} ${available ? `atomctl ${listed} is available; this is ${running}` : `atomctl ${running} is the newest`}`,
      `  Verified: ${printable(listing)}`,
      `  Signed By: ${printable(signer)}`,
      ...(file ? [`  File: ${file.url}`, `  Digest: ${file.digest}`] : []),
    ].join('\n'),
  names: ({available, listed}) => (available ? [listed] : []),
}
