import type {Json, JsonObject} from '@atomctl/protocol/values'
import {expandPlaceholders} from '@atomctl/wpk/parameters'

const SHELLS = /^(?:.*\/)?(?:ba|da|a|k|z|fi|c|tc)?sh$/
const SCRIPT_FLAG = /^-[a-z]*c[a-z]*$/

/**
 * Whether a list of words is a shell and a script for it. Such a list is not filled with values, or they would be
 * code: the script reads them as the variables that they are given as.
 */
export function isShellScript(words: readonly string[]): boolean {
  const shell = words.findIndex((word) => SHELLS.test(word))
  return shell >= 0 && words.slice(shell + 1).some((word) => SCRIPT_FLAG.test(word))
}

/** What a shell in the container expands, which has variables of its own: a text, or a list that is a shell's script. */
export function isForShell(command: Json | undefined): boolean {
  return Array.isArray(command) ? isShellScript(command.map(String)) : typeof command === 'string'
}

/** A program and its arguments with values filled in, each word staying one word. Throws PARAMETER_INVALID. */
export function fillWords(words: readonly string[], values: JsonObject): string[] {
  return isShellScript(words) ? [...words] : words.map((word) => expandPlaceholders(word, values))
}
