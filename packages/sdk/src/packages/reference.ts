import {existsSync} from 'node:fs'

const ID = /^(?<name>[a-z0-9-]+)-(?<version>[0-9]+\.[0-9]+\.[0-9]+)$/

/** Name and version that a workflow id means (protocol section 1.5: the last hyphen splits), or undefined. */
export function parseWorkflowId(id: string): {name: string; version: string} | undefined {
  const groups = ID.exec(id)?.groups
  return groups?.['name'] && groups['version'] ? {name: groups['name'], version: groups['version']} : undefined
}

/** Whether an argument that may be a file or a workflow id means a file. */
export function isFileReference(argument: string): boolean {
  if (argument === '-' || /\.(ya?ml|tar\.gz|tgz)$/.test(argument) || /[/\\]/.test(argument)) return true
  return parseWorkflowId(argument) === undefined && existsSync(argument)
}
