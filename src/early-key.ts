import {readFileSync, statSync} from 'node:fs'
import {beginDerivation, type Derivation} from '@atomctl/wpk/key-derivation'

const KEY_LIMIT = 64 * 1024

/**
 * Begins what takes `sign` longest, the derivation of the key that opens its key file, on a thread of its own while the
 * rest of the program loads. It takes the file that the words or the environment name, else ./cosign.key. The command
 * decides anew, by the configuration too: for another file or password than these, this was in vain and changes nothing.
 */
export function beginSigningKey(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Derivation | undefined {
  const password = environment['COSIGN_PASSWORD']
  const options = words.slice(0, words.includes('--') ? words.indexOf('--') : undefined)
  if (password === undefined || options.some((word) => NEEDS_NO_KEY.includes(word))) return undefined
  try {
    const path = keyOption(options) ?? (environment['ATOMCTL_KEY'] || 'cosign.key')
    const info = statSync(path)
    // reading a pipe would take what the command is to read
    return info.isFile() && info.size <= KEY_LIMIT ? beginDerivation(readFileSync(path, 'utf8'), password) : undefined
  } catch {
    return undefined // the command says what is wrong with it
  }
}

const NEEDS_NO_KEY = ['--keyless', '--help', '-h']

function keyOption(words: readonly string[]): string | undefined {
  const at = words.findLastIndex((word) => word === '--key' || word.startsWith('--key='))
  return words[at] === '--key' ? words[at + 1] : words[at]?.slice('--key='.length)
}
