import {printable, type View} from '@atomctl/sdk/output'
import type {Change} from '../comparison.ts'

export interface PackageDiff {
  from: string
  to: string
  changes: Change[]
}

export const diffView: View<PackageDiff> = {
  kind: 'PackageDiff',
  text: ({from, to, changes}, style) => {
    if (changes.length === 0) return 'No differences'
    const paint = {added: style.good, removed: style.bad, changed: style.warning}
    return [
      `--- ${printable(from)}`,
      `+++ ${printable(to)}`,
      ...changes.map((change) => paint[change.kind](line(change))),
    ].join('\n')
  },
  names: ({changes}) => changes.map(({path}) => path),
  items: ({changes}) => changes,
}

function line({kind, path, from, to}: Change): string {
  if (kind === 'added') return `+ ${printable(path)}: ${shown(to)}`
  if (kind === 'removed') return `- ${printable(path)}: ${shown(from)}`
  return `~ ${printable(path)}: ${shown(from)} → ${shown(to)}`
}

const shown = (value: unknown): string => printable(JSON.stringify(value))
