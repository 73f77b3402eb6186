import type {View} from '@atomctl/sdk/output'
import type {PushedPackage} from '@atomctl/sdk/registry'

export const pushView: View<PushedPackage[]> = {
  kind: 'PushedPackages',
  text: (pushed, style) => pushed.map((one) => describe(one, style.good('[SUCCESS]'))).join('\n'),
  names: (pushed) => pushed.map(({id}) => id),
  items: (pushed) => pushed,
}

function describe({id, status, digest, created}: PushedPackage, label: string): string {
  return [
    `${label} ${created === false ? 'WPK already registered, nothing to do' : 'WPK pushed successfully'}`,
    `  Workflow ID: ${id}`,
    `  Status: ${status}`,
    ...(digest === undefined ? [] : [`  Digest: ${digest}`]),
  ].join('\n')
}
