import {readFile} from 'node:fs/promises'
import type {Json} from '@atomctl/wpk/canonical'
import {AtomError} from '@atomctl/wpk/errors'
import {writeFileSafely} from '../files/write.ts'
import {loadConfigurationFile} from './file.ts'

export interface ConfigurationEdit {
  readonly path: readonly string[]
  /** undefined removes the key. */
  readonly value: Json | undefined
}

/**
 * Applies edits to a configuration file: comments and order stay, the result is checked before it replaces the
 * file in one step with mode 0600.
 * @throws CONFIG_INVALID when the file is broken or would be; nothing is written then.
 */
export async function editConfigurationFile(path: string, edits: readonly ConfigurationEdit[]): Promise<void> {
  await loadConfigurationFile(path)
  const {setYamlValue, deleteYamlValue} = await import('@atomctl/wpk/document')
  let text = await readText(path)
  for (const {path: key, value} of edits) {
    text = value === undefined ? deleteYamlValue(text, key) : setYamlValue(text, key, value)
  }
  await checkText(text, path)
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

async function checkText(text: string, path: string): Promise<void> {
  if (text.trim() === '') return
  const [{parseYaml}, {configurationFile}] = await Promise.all([import('@atomctl/wpk/document'), import('./schema.ts')])
  const {value, findings} = parseYaml(new TextEncoder().encode(text), path)
  const broken = findings.find(({severity}) => severity === 'error')
  if (broken) throw new AtomError('CONFIG_INVALID', `${path}: ${broken.message}`)
  const issue = configurationFile.safeParse(value).error?.issues[0]
  if (issue) throw new AtomError('CONFIG_INVALID', `${issue.path.join('.')}: ${issue.message}`)
}
