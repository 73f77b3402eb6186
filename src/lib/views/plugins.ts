import {oneLine, renderTable, type View} from '@atomctl/sdk/output'
import type {PluginStatus} from '../plugins/inventory.ts'
import type {ApprovedPlugin} from '../plugins/ledger.ts'

export const pluginListView: View<PluginStatus[]> = {
  kind: 'PluginList',
  text: (plugins) =>
    plugins.length === 0
      ? 'No plugins installed. Install one: atomctl plugins install NAME'
      : renderTable(
          ['NAME', 'VERSION', 'TYPE', 'STATUS', 'COMMANDS'],
          plugins.map(({name, version, type, status, commands = []}) => [
            oneLine(name),
            oneLine(version),
            type,
            status,
            oneLine(commands.join(', ') || '-'),
          ]),
        ),
  names: (plugins) => plugins.map(({name}) => name),
  items: (plugins) => plugins,
}

export const pluginView: View<PluginStatus> = {
  kind: 'Plugin',
  text: (plugin) =>
    Object.entries({
      Name: plugin.name,
      Version: plugin.version,
      Type: plugin.type,
      Status: plugin.status,
      Reason: plugin.reason,
      From: plugin.spec,
      Folder: plugin.root,
      Tarball: plugin.integrity,
      Files: plugin.digest,
      'Signed by': plugin.signers.join(', ') || undefined,
      Commands: plugin.commands?.join(', '),
      Hooks: plugin.hooks?.join(', ') || undefined,
    })
      .flatMap(([label, value]) => (value === undefined ? [] : [`${label}: ${oneLine(value)}`]))
      .join('\n'),
  names: ({name}) => [name],
}

/** The lines of a change; `done` is what happened to each plugin. */
export function pluginChangeView(done: string): View<ApprovedPlugin[]> {
  return {
    kind: 'PluginChange',
    text: (plugins, style) =>
      plugins.length === 0
        ? 'Nothing to do'
        : plugins
            .map(({name, version}) => `${style.good('[SUCCESS]')} Plugin ${oneLine(name)} ${oneLine(version)} ${done}`)
            .join('\n'),
    names: (plugins) => plugins.map(({name}) => name),
    items: (plugins) => plugins,
  }
}

export interface TrustChange {
  readonly name: string
  readonly file: string
}

export function trustChangeView(done: string): View<TrustChange> {
  return {
    kind: 'PluginTrust',
    text: ({name, file}, style) => `${style.good('[SUCCESS]')} ${oneLine(name)} ${done} ${file}`,
    names: ({name}) => [name],
  }
}
