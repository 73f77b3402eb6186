import type {Environment} from '../config/environment.ts'

export const FORMATS = ['table', 'wide', 'json', 'yaml', 'name', 'ndjson'] as const
/** `table` is the human text of each command. */
export type Format = (typeof FORMATS)[number]

/** True where a program reads stdout, so that an error must be an envelope there too. */
export function isStructured(format: string): boolean {
  return format === 'json' || format === 'yaml' || format === 'ndjson'
}

/**
 * The format asked for on a raw command line, before or without parsing it: an error of the parser itself must
 * come in the format asked for as well.
 */
export function formatOf(argv: readonly string[], environment: Environment): string {
  const end = argv.indexOf('--')
  const flags = end === -1 ? argv : argv.slice(0, end)
  if (flags.includes('--json')) return 'json'
  for (const [index, flag] of flags.entries()) {
    const match = /^(?:--output(?:=|$)|-o=?)(.*)$/.exec(flag)
    if (match) return match[1] || (flags[index + 1] ?? 'table')
  }
  return environment['ATOMCTL_OUTPUT'] || 'table'
}
