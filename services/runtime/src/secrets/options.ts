import {readFileSync} from 'node:fs'
import {isVaultPath} from '@atomctl/wpk/parameters'
import type {SecretOptions} from './reader.ts'
import type {VaultOptions} from './vault.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Vault as its own command line finds it (https://developer.hashicorp.com/vault/docs/commands#environment-variables),
 * and ATOMCTL_VAULT_PATHS, a list with commas. What is wrong with them is told to whoever needs a secret from there.
 */
export function secretOptions(environment: Environment): SecretOptions {
  const paths = listOf(environment['ATOMCTL_VAULT_PATHS'])
  const wrong = paths?.find((path) => !isVaultPath(path) && !isVaultPath(`${path}/x`))
  const vault =
    wrong === undefined ? vaultOptions(environment) : `ATOMCTL_VAULT_PATHS: ${wrong} is no path of KV version 2`
  return {vault, vaultPaths: paths}
}

function listOf(text: string | undefined): string[] | undefined {
  return text?.split(',').flatMap((entry) => entry.trim().replace(/\/+$/, '') || [])
}

function vaultOptions(environment: Environment): VaultOptions | string | undefined {
  const {VAULT_ADDR: address, VAULT_NAMESPACE: namespace, VAULT_CACERT: file} = environment
  if (!address) return undefined
  const problem = addressProblem(address)
  if (problem !== undefined) return `VAULT_ADDR ${problem}`
  const login = loginOf(environment)
  if (!login) return 'VAULT_ADDR is set, but neither VAULT_TOKEN nor VAULT_ROLE_ID and VAULT_SECRET_ID'
  try {
    const ca = file ? readFileSync(file, 'utf8') : undefined
    return {address, login, namespace: namespace || undefined, ca}
  } catch (error) {
    return `VAULT_CACERT cannot be read: ${String((error as {code?: unknown}).code)}`
  }
}

/** A token crosses no network in the clear. */
function addressProblem(address: string): string | undefined {
  const url = URL.parse(address)
  if (!url || !/^https?:$/.test(url.protocol)) return 'is no http or https address'
  if (url.username || url.password || url.search || url.hash) return 'holds more than an address and a path'
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  return url.protocol === 'http:' && !isHere ? 'must be https: http is for this machine alone' : undefined
}

function loginOf(environment: Environment): VaultOptions['login'] | undefined {
  const {VAULT_TOKEN: token, VAULT_ROLE_ID: roleId, VAULT_SECRET_ID: secretId} = environment
  // Neither may break the header it is sent in, whose error would repeat it.
  if (token) return /^[\x21-\x7E]+$/.test(token) ? {token} : undefined
  return roleId && secretId ? {roleId, secretId} : undefined
}
