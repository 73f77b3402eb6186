import {printable, renderTable, type View} from '@atomctl/sdk/output'
import type {Installation} from '../installation.ts'

export const versionView: View<Installation> = {
  kind: 'Version',
  text: headline,
  wide: (data) =>
    [
      headline(data),
      `  Installed in: ${printable(data.root)}`,
      '',
      renderTable(
        ['PLUGIN', 'VERSION', 'TYPE'],
        data.plugins.map(({name, version, type}) => [name, version, type]),
      ),
    ].join('\n'),
  names: ({version}) => [version],
}

/** The line `--version` prints too. */
function headline({version, platform, node}: Installation): string {
  return `atomctl/${version} ${platform} node-v${node}`
}
