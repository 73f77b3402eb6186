import {AtomCommand, registryFlag, runtimeFlag} from '@atomctl/sdk/command'
import {openBrowser} from '../lib/login/browser.ts'
import {loginFlags} from '../lib/login/flags.ts'
import {keepLogin} from '../lib/login/keep.ts'
import {obtainToken} from '../lib/login/obtain.ts'
import {loginTargets, type ServiceName} from '../lib/login/target.ts'
import {type LoginResult, loginView} from '../lib/views/login.ts'

export default class Login extends AtomCommand {
  static override summary = 'Log in to the registry and the runtime'
  static override description = `The token comes from standard input, an OpenID provider (device flow), the identity of a CI job, or HashiCorp Vault. It
is kept in the keychain, else in a file that only you can read, and sent to these services alone. It is refreshed when it runs
out, if whoever gave it allows that. A token in the settings or the environment goes before it.`
  static override examples = [
    '<%= config.bin %> login --token-stdin < token-file',
    '<%= config.bin %> login --issuer https://id.example.com --client-id atomctl',
    '<%= config.bin %> login --ci --issuer https://id.example.com --client-id atomctl --audience registry',
    '<%= config.bin %> login --vault --vault-secret secret/data/atomctl#token',
    '<%= config.bin %> login --vault --vault-addr https://vault.example.com --vault-auth jwt --vault-role ci --vault-oidc-role atomctl',
  ]
  static override flags = {...registryFlag, ...runtimeFlag, ...loginFlags}

  async run(): Promise<LoginResult> {
    const {flags} = await this.parse(Login)
    const targets = loginTargets(this.atom, flags.service as ServiceName | undefined)
    const obtained = await obtainToken(flags, this.atom, {
      interactive: this.interactive && !flags['token-stdin'],
      show: ({url, completeUrl, code}) => {
        process.stderr.write(`Open ${url} and enter the code ${code}\n`)
        if (flags.browser) void this.#open(completeUrl ?? url)
      },
    })
    const login = await keepLogin(obtained, targets, this.atom, (line) => this.warn(line))
    if (login.store === 'file') this.verbose('no keychain answers here: the token is kept in a file')
    this.#warnOfStronger()
    const {context, origins, method, subject = null, expiresAt, store} = login
    const ends = expiresAt === undefined ? null : new Date(expiresAt).toISOString()
    return this.emit(loginView, {context, origins, method, subject, expiresAt: ends, store})
  }

  async #open(url: string): Promise<void> {
    if (!(await openBrowser(url))) process.stderr.write('No browser could be opened\n')
  }

  #warnOfStronger(): void {
    const setting = this.atom.configuration.get('auth_token')
    if (setting) this.warn(`the token in ${setting.origin.where} goes before this login where it applies`)
  }
}
