import {readFile} from 'node:fs/promises'
import type {Json} from '@atomctl/wpk/canonical'
import {AtomError} from '@atomctl/wpk/errors'
import {writeFileSafely} from '../files/write.ts'

export interface ConfigurationEdit {
  readonly path: readonly string[]
  /** undefined removes the key. */
  readonly value: Json | undefined
}

/**
 * Applies edits to a configuration file: comments and order stay, the result is checked before it replaces the
 * file in one step with mode 0600. A value that was wrong before can so be put right.
 * @throws CONFIG_INVALID when the file is no YAML or the result would be wrong; nothing is written then.
 */
export async function editConfigurationFile(path: string, edits: readonly ConfigurationEdit[]): Promise<void> {
  const {setYamlValue, deleteYamlValue} = await import('@atomctl/wpk/document')
  let text = await readText(path)
  await checkSyntax(text, path)
  for (const {path: key, value} of edits) {
    text = value === undefined ? deleteYamlValue(text, key) : setYamlValue(text, key, value)
  }
  await checkSettings(await checkSyntax(text, path), path)
  await writeFileSafely(path, text, {mode: 0o600, directoryMode: 0o700})
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

async function checkSyntax(text: string, path: string): Promise<Json> {
  if (/^(?:\s*(?:#.*)?(?:\r?\n|$))*$/.test(text)) return {}
  const {parseYaml} = await import('@atomctl/wpk/document')
  const {value, findings} = parseYaml(new TextEncoder().encode(text), path)
  const broken = findings.find(({severity}) => severity === 'error')
  if (!broken) return value ?? {}
  const where = broken.position ? `${path}:${broken.position.line}:${broken.position.column}` : path
  throw new AtomError('CONFIG_INVALID', `${where}: ${broken.message}`, {hint: `edit ${path}`})
}

async function checkSettings(value: Json, path: string): Promise<void> {
  const {configurationFile} = await import('./schema.ts')
  const issue = configurationFile.safeParse(value).error?.issues[0]
  if (!issue) return
  const key = [...issue.path, ...(issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [])]
    .map(String)
    .join('.')
  throw new AtomError('CONFIG_INVALID', `${key || path}: ${issue.message}; nothing was written`, {
    hint: 'atomctl help config set',
  })
}
