import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'

export const ROOT_TOKEN = 'hvs.root-token-canary'

/** What Vault does instead of answering as it should. */
export type Fault = 'sealed' | 'hang' | 'redirect' | 'huge' | 'garbage' | 'cut' | 'kv1' | 'deleted'

/**
 * Stands for a HashiCorp Vault on loopback: reading KV version 2 (`GET /v1/MOUNT/data/PATH`) with a token or that of an
 * AppRole login, with the statuses and bodies of its API documentation, and the ways in which it fails. It knows
 * no policies but one list of forbidden paths, no leases of secrets, no TLS.
 */
export class VaultDouble {
  readonly secrets = new Map<string, Record<string, unknown>>()
  readonly forbidden = new Set<string>()
  readonly requests: {method: string; path: string; namespace: string | undefined; token: string | undefined}[] = []
  fault: Fault | undefined
  logins = 0
  /** In seconds, of the tokens of roles. */
  lease = 3600
  readonly #server: Server
  readonly #tokens = new Set([ROOT_TOKEN])

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response))
  }

  static async start(): Promise<VaultDouble> {
    const double = new VaultDouble()
    await new Promise<void>((resolve) => double.#server.listen(0, '127.0.0.1', resolve))
    return double
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Tokens of roles are valid no longer. */
  revokeRoles(): void {
    this.#tokens.clear()
    this.#tokens.add(ROOT_TOKEN)
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const {method = '', url = '', headers} = request
    const token = headers['x-vault-token'] as string | undefined
    this.requests.push({method, path: url, namespace: headers['x-vault-namespace'] as string | undefined, token})
    if (this.#fails(response)) return
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    if (url === '/v1/auth/approle/login') return this.#logIn(Buffer.concat(chunks).toString(), response)
    if (token === undefined || !this.#tokens.has(token)) return send(response, 403, {errors: ['permission denied']})
    const path = decodeURIComponent(url.replace('/v1/', ''))
    if (this.forbidden.has(path)) return send(response, 403, {errors: ['1 error occurred: permission denied']})
    const data = this.secrets.get(path)
    if (!data) return send(response, 404, {errors: []})
    if (this.fault === 'kv1') return send(response, 200, {data})
    send(response, 200, {data: {data: this.fault === 'deleted' ? null : data, metadata: {version: 1}}})
  }

  #logIn(body: string, response: ServerResponse): void {
    const {role_id: role, secret_id: secret} = JSON.parse(body) as Record<string, string>
    if (role !== 'role-1' || secret !== 'secret-id-canary') return send(response, 400, {errors: [`invalid ${secret}`]})
    this.logins += 1
    const token = `hvs.role-${this.logins}`
    this.#tokens.add(token)
    send(response, 200, {auth: {client_token: token, lease_duration: this.lease}})
  }

  #fails(response: ServerResponse): boolean {
    const {fault} = this
    if (fault === undefined || fault === 'kv1' || fault === 'deleted') return false
    if (fault === 'sealed') send(response, 503, {errors: ['Vault is sealed']})
    if (fault === 'redirect') response.writeHead(307, {location: 'http://elsewhere.example.com/v1/x?token=y'}).end()
    if (fault === 'garbage') response.writeHead(200).end('<html>canary-value</html>')
    if (fault === 'cut') response.writeHead(200, {'content-length': '100'}).write('{', () => response.destroy())
    if (fault === 'huge') response.writeHead(200).end('x'.repeat(2 * 1024 * 1024))
    return true
  }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {'content-type': 'application/json'}).end(JSON.stringify(body))
}
