import type {Json, JsonObject} from '@atomctl/protocol/values'
import type {Finding} from '@atomctl/wpk/document'
import {finding, textOf} from './handler.ts'

/** All that a handler inherits from the runtime's own environment, so that its secrets stay with it. */
const INHERITED = ['PATH', 'HOME', 'LANG', 'TZ', 'TMPDIR'] as const
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Names with which data would take over the shell, the loader or an interpreter instead of being read. */
const RESERVED: ReadonlySet<string> = new Set(
  `PATH HOME IFS ENV BASH_ENV SHELL SHELLOPTS BASHOPTS PS4 PROMPT_COMMAND CDPATH GLOBIGNORE TMPDIR LANG TZ
  NODE_OPTIONS NODE_PATH PERL5LIB PERL5OPT RUBYOPT RUBYLIB PYTHONPATH PYTHONSTARTUP PYTHONHOME JAVA_TOOL_OPTIONS
  CLASSPATH EDITOR VISUAL PAGER`.split(/\s+/),
)
const RESERVED_PREFIX = /^(LD_|DYLD_|BASH_FUNC_|ATOM_|GIT_|LC_)/
const LARGEST_VALUE = 128 * 1024

/** The variable that offers a value to commands: `db-name` becomes DB_NAME. */
export function variableName(name: string): string {
  return name.toUpperCase().replaceAll(/[^A-Z0-9_]/g, '_')
}

export function isReserved(variable: string): boolean {
  return RESERVED.has(variable) || RESERVED_PREFIX.test(variable) || !/^[A-Z_]/.test(variable)
}

export function inheritedEnvironment(from: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = INHERITED.flatMap((name) => (from[name] === undefined ? [] : [[name, from[name]] as const]))
  return {PATH: DEFAULT_PATH, ...Object.fromEntries(entries)}
}

export function valueVariables(values: JsonObject): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [variableName(name), textOf(value)]))
}

/** Why parameters cannot be given to a command: paths are the names of the parameters. */
export function checkVariables(parameters: JsonObject): Finding[] {
  const seen = new Map<string, string>()
  return Object.entries(parameters).flatMap(([name, value]) => {
    const variable = variableName(name)
    const twin = seen.get(variable)
    seen.set(variable, name)
    const problem = twin === undefined ? problemOf(variable, value) : `is the same variable ${variable} as "${twin}"`
    return problem === undefined ? [] : [finding('parameter-environment', name, `Parameter "${name}" ${problem}`)]
  })
}

function problemOf(variable: string, value: Json): string | undefined {
  if (isReserved(variable)) return `would replace the environment variable ${variable}, which commands depend on`
  const text = textOf(value)
  if (text.includes('\0')) return 'holds a NUL character, which no environment variable can'
  if (Buffer.byteLength(text) > LARGEST_VALUE) return `is larger than ${LARGEST_VALUE} bytes`
  return undefined
}
