import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {record, type Recorded} from '@atomctl/sdk/testing'

/** What a route answers: a status and JSON. */
export type Answer = readonly [status: number, body: unknown, headers?: Record<string, string>]
export type Routes = Readonly<Record<string, (request: Recorded, form: URLSearchParams) => Answer>>

export interface Double extends AsyncDisposable {
  readonly url: string
  readonly requests: Recorded[]
  /** The forms that were posted to a path. */
  forms(path: string): URLSearchParams[]
}

/**
 * A loopback HTTP service that answers by its routes. It stands for what cannot run here: an OpenID provider, the token
 * service of a CI system, HashiCorp Vault. `routes` gets its URL.
 */
export async function startDouble(routes: (url: string) => Routes): Promise<Double> {
  const requests: Recorded[] = []
  let known: Routes = {}
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const recorded = await record(request)
    requests.push(recorded)
    const path = recorded.url.split('?')[0] ?? ''
    const route = known[`${recorded.method} ${path}`]
    const [status, body, headers] = route?.(recorded, formOf(recorded)) ?? [404, {error: 'no_such_path'}]
    response.writeHead(status, {'content-type': 'application/json', ...headers})
    response.end(typeof body === 'string' ? body : JSON.stringify(body))
  }
  const server = createServer((request, response) => void serve(request, response).catch(() => undefined))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  known = routes(url)
  return {
    url,
    requests,
    forms: (path) => requests.filter((one) => one.url === path).map((one) => formOf(one)),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function formOf({body}: Recorded): URLSearchParams {
  return new URLSearchParams(body.toString('utf8'))
}

/** A JWT of these claims; its signature is nonsense, as nobody here verifies it. */
export function jwtOf(claims: Readonly<Record<string, unknown>>): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({alg: 'none'})}.${part(claims)}.c2lnbmF0dXJl`
}

/** A registry that knows these tokens by their owners' names, as far as `login` and `whoami` ask it. */
export function startRegistryDouble(owners: Readonly<Record<string, string>>): Promise<Double> {
  return startDouble(() => ({
    'GET /.well-known/atom': () => [
      200,
      {service: 'registry', version: '1', protocol: '1', capabilities: ['whoami', 'pagination']},
    ],
    'GET /whoami': ({headers}) => {
      const name = owners[(headers['authorization'] ?? '').replace('Bearer ', '')]
      return name === undefined
        ? [401, {detail: 'Invalid authentication credentials'}]
        : [200, {name, role: 'publisher'}]
    },
  }))
}

/** An OpenID provider with device flow, refresh, exchange and revocation. `token` answers its token endpoint. */
export function startIssuer(
  token: (form: URLSearchParams, count: number) => Answer,
  overrides: object = {},
): Promise<Double> {
  let count = 0
  return startDouble((url) => ({
    'GET /.well-known/openid-configuration': () => [
      200,
      {
        issuer: url,
        token_endpoint: `${url}/token`,
        device_authorization_endpoint: `${url}/device`,
        revocation_endpoint: `${url}/revoke`,
        ...overrides,
      },
    ],
    'POST /device': () => [
      200,
      {
        device_code: 'device-secret',
        user_code: 'WDJB-MJHT',
        verification_uri: `${url}/enter`,
        expires_in: 600,
        interval: 1,
      },
    ],
    'POST /token': (_request, form) => token(form, ++count),
    'POST /revoke': () => [200, {}],
  }))
}
