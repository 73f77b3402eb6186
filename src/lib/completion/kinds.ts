/** The kind of value an argument or a flag takes, by the argument's name, the flag's placeholder or its name. */
const KINDS: Readonly<Record<string, string>> = {
  // arguments
  command: 'command',
  execution: 'execution',
  file: 'package',
  from: 'workflow|package',
  id: 'workflow',
  key: 'setting',
  package: 'workflow|package',
  path: 'package',
  plugin: 'plugin',
  source: 'directory',
  subject: 'workflow|package',
  template: 'template|package',
  to: 'workflow|package',
  word: 'explain',
  workflow: 'workflow',
  // placeholders of flags
  CONTEXT: 'context',
  DIR: 'directory',
  FILE: 'file',
  ID: 'workflow',
  'KEY=VALUE': 'parameter',
  PATH: 'file',
  STEP: 'step',
  TEMPLATE: 'template|package',
  // flags whose placeholder says too little
  context: 'context',
  step: 'step',
  tag: 'tag',
}

/** The kinds a hint names, or those that follow from the first of the names that means one. */
export function kindsOf(hint: string | undefined, ...names: readonly (string | undefined)[]): string[] {
  const known = names.find((name) => name !== undefined && Object.hasOwn(KINDS, name))
  const kinds = hint ?? (known === undefined ? undefined : KINDS[known])
  return kinds?.split('|') ?? []
}
