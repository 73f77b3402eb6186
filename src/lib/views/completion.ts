import {oneLine, type View} from '@atomctl/sdk/output'
import type {Installed} from '../completion/installation.ts'

export interface CompletionScript {
  shell: string
  script: string
}

export const scriptView: View<CompletionScript> = {
  kind: 'CompletionScript',
  text: ({script}) => script,
  names: ({shell}) => [shell],
}

export const installView: View<Installed[]> = {
  kind: 'CompletionInstallation',
  text: (all, style) => all.map((one) => (one.changed ? installed(one, style.good) : present(one))).join('\n'),
  names: (all) => all.map(({script}) => script),
}

export const uninstallView: View<Installed[]> = {
  kind: 'CompletionInstallation',
  text: (all, style) =>
    all
      .map(({shell, changed}) =>
        changed ? `${style.good('[SUCCESS]')} Completion for ${shell} removed` : `There was none for ${shell}`,
      )
      .join('\n') || 'There was none',
  names: (all) => all.map(({script}) => script),
}

function installed({shell, script, startup}: Installed, good: (text: string) => string): string {
  return [
    `${good('[SUCCESS]')} Completion for ${shell} installed`,
    `  Script: ${oneLine(script)}`,
    ...(startup === undefined ? [] : [`  Read by: ${oneLine(startup)}`]),
    '  It works in every shell you open from now on.',
  ].join('\n')
}

function present({shell, script}: Installed): string {
  return `Completion for ${shell} is installed already: ${oneLine(script)}`
}
