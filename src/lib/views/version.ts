import {printable, renderTable, type View} from '@atomctl/sdk/output'
import type {Installation} from '../installation.ts'

export const versionView: View<Installation> = {
  kind: 'Version',
  text: headline,
  wide: (data) =>
    [
      headline(data),
      ...facts(data).map(([name, value]) => `  ${name}: ${printable(value)}`),
      '',
      renderTable(
        ['PLUGIN', 'VERSION', 'TYPE'],
        data.plugins.map(({name, version, type}) => [name, version, type]),
      ),
    ].join('\n'),
  names: ({version}) => [version],
}

/** `--verbose`: what `-o wide` shows, also as text. */
export const verboseVersionView: View<Installation> = {...versionView, text: versionView.wide ?? headline}

/** The line `--version` prints too. */
function headline({version, platform, node}: Installation): string {
  return `atomctl/${version} ${platform} node-v${node}`
}

const KINDS: Readonly<Record<Installation['kind'], string>> = {
  deb: 'Debian package',
  npm: 'npm package',
  source: 'checkout of the sources',
  standalone: 'archive with Node inside',
}

function facts({kind, root, commit, date, node, v8, platform, services}: Installation): [string, string][] {
  return [
    ['Installed in', root],
    ['Installed as', KINDS[kind]],
    ['Commit', commit ?? 'unknown'],
    ['Built', date ?? 'unknown'],
    ['Node', node],
    ['V8', v8],
    ['Platform', platform],
    ['Services', services ? 'installed' : 'not installed (atomctl dev up says how)'],
  ]
}
