import type {AtomContext} from '@atomctl/sdk/context'
import {AtomError} from '@atomctl/sdk/errors'
import {readInput} from '@atomctl/sdk/files'
import {enterVault, mintIdentity, readSecret, revokeSelf, type Vault, vaultAt, type VaultAuth} from '@atomctl/sdk/login'
import {readJobToken} from '@atomctl/sdk/sigstore'
import type {LoginFlags} from './flags.ts'
import type {Obtained} from './obtain.ts'

/**
 * A token from Vault. Vault's own token opens much more than atomctl's services and is never sent to them: what they
 * get is a secret that lies there, or a token that Vault signs.
 * @throws USAGE, LOGIN_FAILED, IDENTITY_TOKEN_INVALID, UNAVAILABLE
 */
export async function loginWithVault(flags: LoginFlags, atom: AtomContext): Promise<Obtained> {
  const {'vault-secret': place, 'vault-oidc-role': role} = flags
  if ((place === undefined) === (role === undefined)) {
    throw new AtomError('USAGE', 'what the services get from Vault has to be said, in one way', {
      hint: 'add --vault-secret PATH#FIELD where a token lies, or --vault-oidc-role ROLE to have one signed',
    })
  }
  const vault = vaultOf(flags, atom)
  const ask = {http: await atom.http(), service: 'Vault', signal: atom.interruption.signal}
  const auth = await authOf(flags, atom)
  const vaultToken = await enterVault(ask, vault, auth)
  const issuer = vault.address.origin
  if (role !== undefined) {
    const grant = await mintIdentity(ask, vault, vaultToken, role)
    const {address, namespace} = vault
    const renewal = {
      kind: 'vault' as const,
      address: address.href,
      ...(namespace ? {namespace} : {}),
      identityRole: role,
    }
    return {method: 'vault', issuer, grant, renewal}
  }
  try {
    return {method: 'vault', issuer, grant: await readSecret(ask, vault, vaultToken, place ?? '')}
  } finally {
    // it has done what it was for; one that was there before is not ours to end
    if (auth.method !== 'token') await revokeSelf(ask, vault, vaultToken).catch(() => undefined)
  }
}

function vaultOf(flags: LoginFlags, {environment}: AtomContext): Vault {
  const address = flags['vault-addr'] ?? environment['VAULT_ADDR']
  if (address) return vaultAt(address, flags['vault-namespace'] ?? (environment['VAULT_NAMESPACE'] || undefined))
  throw new AtomError('USAGE', "Vault's address is not known", {hint: 'add --vault-addr URL, or set VAULT_ADDR'})
}

async function authOf(flags: LoginFlags, atom: AtomContext): Promise<VaultAuth> {
  const method = flags['vault-auth'] ?? 'token'
  const mount = flags['vault-mount'] ?? method
  if (method === 'jwt') {
    const role = needed(flags['vault-role'], '--vault-role ROLE')
    return {method, mount, role, jwt: await jwtOf(flags, atom)}
  }
  if (method === 'approle') {
    const roleId = needed(flags['vault-role'] ?? atom.environment['VAULT_ROLE_ID'], '--vault-role ROLE-ID')
    const secretId =
      (await readSecretFlag(flags)) ?? needed(atom.environment['VAULT_SECRET_ID'], '--vault-credential @FILE')
    return {method, mount, roleId, secretId}
  }
  const token = needed(atom.environment['VAULT_TOKEN'], '--vault-auth jwt or approle, or set VAULT_TOKEN').trim()
  // a line break in it would be a second header
  if (/^[\u0021-\u007E]+$/.test(token)) return {method: 'token', token}
  throw new AtomError('USAGE', 'VAULT_TOKEN holds blanks, control or non-ASCII characters')
}

async function jwtOf(flags: LoginFlags, atom: AtomContext): Promise<string> {
  const given = await readSecretFlag(flags)
  return given ?? (await readJobToken(flags.audience ?? flags['vault-addr'] ?? 'vault', atom)).text
}

function needed(value: string | undefined, flag: string): string {
  if (value) return value
  throw new AtomError('USAGE', 'the login at Vault lacks something', {hint: `add ${flag}`})
}

/** Only from a file or standard input: an argument is seen by everybody on the machine. */
async function readSecretFlag({'vault-credential': value}: LoginFlags): Promise<string | undefined> {
  if (value === undefined) return undefined
  if (value !== '-' && !value.startsWith('@')) {
    throw new AtomError('USAGE', '--vault-credential takes @FILE or -, not the secret itself', {
      hint: 'what stands in an argument can be read by others',
    })
  }
  const bytes = await readInput(value === '-' ? '-' : value.slice(1), 64 * 1024)
  const text = new TextDecoder().decode(bytes).trim()
  if (text !== '') return text
  throw new AtomError('USAGE', '--vault-credential is empty')
}
