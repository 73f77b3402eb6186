import {readFile} from 'node:fs/promises'
import {AtomError} from '@atomctl/wpk/errors'
import type {ConfigurationFile} from './schema.ts'

/** A configuration file that was read and checked; `locate` gives `line:column` of a dotted key. */
export interface LoadedFile {
  readonly path: string
  readonly value: ConfigurationFile
  locate(key: string): string
}

const MAX_BYTES = 1 << 20

/**
 * Reads a configuration file. undefined when there is none; an empty one is an empty mapping.
 * @throws AtomError CONFIG_INVALID naming file, line and key.
 */
export async function loadConfigurationFile(path: string): Promise<LoadedFile | undefined> {
  const bytes = await readIfPresent(path)
  if (bytes === undefined) return undefined
  if (isBlank(bytes)) return {path, value: {}, locate: () => path}
  const [{parseYaml}, {configurationFile}] = await Promise.all([import('@atomctl/wpk/document'), import('./schema.ts')])
  const {value, findings, locate} = parseYaml(bytes, path)
  const where = (key: string): string => {
    const position = locate(key)
    return position ? `${path}:${position.line}:${position.column}` : path
  }
  const broken = findings.find(({severity}) => severity === 'error')
  if (broken) {
    const place = broken.position ? `${path}:${broken.position.line}:${broken.position.column}` : path
    throw invalid(`${place}: ${broken.message}`, path)
  }
  const checked = configurationFile.safeParse(value)
  if (!checked.success) throw invalid(describeIssue(checked.error.issues[0], where), path)
  return {path, value: checked.data, locate: where}
}

function isBlank(bytes: Uint8Array): boolean {
  const lines = new TextDecoder().decode(bytes).split('\n')
  return lines.every((line) => /^\s*(?:#|$)/.test(line))
}

async function readIfPresent(path: string): Promise<Uint8Array | undefined> {
  try {
    const bytes = await readFile(path)
    if (bytes.length > MAX_BYTES) throw invalid(`${path}: larger than 1 MiB`, path)
    return bytes
  } catch (error) {
    const {code} = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    if (code === 'CONFIG_INVALID') throw error
    throw invalid(
      `${path}: ${code === 'EISDIR' ? 'is a directory' : code === 'EACCES' ? 'permission denied' : String(code)}`,
      path,
      error,
    )
  }
}

interface Issue {
  code?: string | undefined
  path: PropertyKey[]
  message: string
  keys?: string[]
}

function describeIssue(issue: Issue | undefined, where: (key: string) => string): string {
  if (!issue) return `${where('')}: not a configuration`
  const key = [...issue.path, ...(issue.code === 'unrecognized_keys' ? (issue.keys ?? []).slice(0, 1) : [])]
    .map(String)
    .join('.')
  const message = issue.code === 'unrecognized_keys' ? 'there is no such setting' : issue.message
  return `${where(key)}: ${key || 'document'}: ${message}`
}

function invalid(message: string, path: string, cause?: unknown): AtomError {
  return new AtomError('CONFIG_INVALID', message, {hint: `edit ${path}, or move it away and run atomctl config`, cause})
}
