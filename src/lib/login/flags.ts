import * as Flags from '@oclif/core/flags'

/** How `atomctl login` gets a token. */
export const loginFlags = {
  'token-stdin': Flags.boolean({description: 'Read a token from standard input'}),
  service: Flags.string({description: 'Log in to one of the two only', options: ['registry', 'runtime']}),
  issuer: Flags.string({description: 'OpenID provider to log in at', helpValue: 'URL', helpGroup: 'OIDC'}),
  'client-id': Flags.string({description: 'Client registered there', helpValue: 'ID', helpGroup: 'OIDC'}),
  scope: Flags.string({
    description: 'What to ask for (default: openid offline_access)',
    helpValue: 'SCOPES',
    helpGroup: 'OIDC',
  }),
  audience: Flags.string({description: 'Service the token is for', helpValue: 'NAME', helpGroup: 'OIDC'}),
  'id-token': Flags.boolean({description: 'Use the ID token, not the access token', helpGroup: 'OIDC'}),
  browser: Flags.boolean({description: 'Open the address in a browser', helpGroup: 'OIDC'}),
  ci: Flags.boolean({
    description: 'Use the identity of this CI job; with --issuer, exchange it there',
    helpGroup: 'CI',
  }),
  vault: Flags.boolean({
    description: 'Get the token from HashiCorp Vault; any flag of this group means it',
    helpGroup: 'VAULT',
  }),
  'vault-addr': Flags.string({description: 'Its address (default: VAULT_ADDR)', helpValue: 'URL', helpGroup: 'VAULT'}),
  'vault-namespace': Flags.string({
    description: 'Its namespace (default: VAULT_NAMESPACE)',
    helpValue: 'NAME',
    helpGroup: 'VAULT',
  }),
  'vault-auth': Flags.string({
    description: 'How to get in (default: token, which is VAULT_TOKEN)',
    options: ['token', 'jwt', 'approle'],
    helpGroup: 'VAULT',
  }),
  'vault-mount': Flags.string({
    description: 'Where the method is mounted (default: its name)',
    helpValue: 'PATH',
    helpGroup: 'VAULT',
  }),
  'vault-role': Flags.string({
    description: 'Role of the jwt method; role ID of approle (default: VAULT_ROLE_ID)',
    helpValue: 'ROLE',
    helpGroup: 'VAULT',
  }),
  'vault-credential': Flags.string({
    description: "JWT or secret ID, @FILE or - (default: the job's token; VAULT_SECRET_ID)",
    helpValue: '@FILE',
    helpGroup: 'VAULT',
  }),
  'vault-secret': Flags.string({
    description: 'Where the token lies, such as secret/data/atomctl#token',
    helpValue: 'PATH#FIELD',
    helpGroup: 'VAULT',
  }),
  'vault-oidc-role': Flags.string({
    description: 'Have Vault sign a token: its role in identity/oidc',
    helpValue: 'ROLE',
    helpGroup: 'VAULT',
  }),
}

export interface LoginFlags {
  readonly 'token-stdin'?: boolean | undefined
  readonly issuer?: string | undefined
  readonly 'client-id'?: string | undefined
  readonly scope?: string | undefined
  readonly audience?: string | undefined
  readonly 'id-token'?: boolean | undefined
  readonly browser?: boolean | undefined
  readonly ci?: boolean | undefined
  readonly vault?: boolean | undefined
  readonly 'vault-addr'?: string | undefined
  readonly 'vault-namespace'?: string | undefined
  readonly 'vault-auth'?: string | undefined
  readonly 'vault-mount'?: string | undefined
  readonly 'vault-role'?: string | undefined
  readonly 'vault-credential'?: string | undefined
  readonly 'vault-secret'?: string | undefined
  readonly 'vault-oidc-role'?: string | undefined
}
