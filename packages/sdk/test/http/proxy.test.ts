import {createServer, type Server} from 'node:http'
import {type AddressInfo, connect} from 'node:net'
import {expect} from 'chai'
import {createHttpClient, type HttpClient, type HttpOptions} from '@atomctl/sdk/http'
import {type FaultServer, refusedUrl, reply, startFaultServer} from '@atomctl/sdk/testing'
import {codeOf, failed, testOptions} from './support.ts'

describe('http client behind a proxy', () => {
  let proxy: Server
  let proxyUrl: string
  let service: FaultServer
  let tunnels: string[]
  const clients: HttpClient[] = []
  const client = (options: Partial<HttpOptions>): HttpClient => {
    const created = createHttpClient(testOptions(options))
    clients.push(created)
    return created
  }

  beforeEach(async () => {
    service = await startFaultServer(reply(200, {ok: true}))
    tunnels = []
    // Whatever name is asked for, this proxy leads to the one service.
    proxy = createServer((request, response) => {
      tunnels.push(`${request.method} ${request.url}`)
      response.writeHead(200, {'content-type': 'application/json'}).end('{"ok":true}')
    })
    proxy.on('connect', (request, socket) => {
      tunnels.push(`CONNECT ${request.url}`)
      const {port} = new URL(service.url)
      const upstream = connect(Number(port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n')
        upstream.pipe(socket).pipe(upstream)
      })
      socket.on('error', () => upstream.destroy())
      upstream.on('error', () => socket.destroy())
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
    proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  })

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((one) => one.close()))
    await service.close()
    proxy.closeAllConnections()
    await new Promise((resolve) => proxy.close(resolve))
  })

  it('sends plain HTTP through it as it is, without a tunnel', async () => {
    await client({proxy: {http: proxyUrl}}).request({baseUrl: 'http://registry.test'}, {method: 'GET', path: '/a'})
    expect(tunnels).to.deep.equal(['GET http://registry.test/a'])
  })

  it('tunnels HTTPS', async () => {
    const http = client({proxy: {https: proxyUrl}})
    // Behind this tunnel nobody speaks TLS.
    expect(await codeOf(http.request({baseUrl: 'https://registry.test'}, {method: 'GET', path: '/a'}))).to.equal(
      'UNAVAILABLE',
    )
    expect([...new Set(tunnels)]).to.deep.equal(['CONNECT registry.test:443'])
  })

  it('says that the proxy refuses, or is not there', async () => {
    proxy.removeAllListeners('connect')
    proxy.on('connect', (_request, socket) => socket.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n'))
    const refused = await failed(
      client({proxy: {https: proxyUrl}}).request({baseUrl: 'https://registry.test'}, {method: 'GET', path: '/a'}),
    )
    expect(refused.message).to.equal('Network error: The proxy refuses the request')
    const url = await refusedUrl()
    const away = client({proxy: {http: url.replace('//', '//user:s3cret@')}})
    const error = await failed(away.request({baseUrl: 'http://registry.test'}, {method: 'GET', path: '/a'}))
    expect(error.message).to.equal('Network error: Connection refused')
    expect(error.hint).not.to.include('s3cret')
    expect(error.hint).to.match(/^requests go through the proxy http:\/\/127\.0\.0\.1:\d+: set no_proxy=registry\.test/)
  })

  it('does not send HTTPS through a proxy for HTTP', async () => {
    const http = client({proxy: {http: proxyUrl}})
    await codeOf(http.request({baseUrl: 'https://registry.invalid'}, {method: 'GET', path: '/a'}))
    expect(tunnels).to.deep.equal([])
  })

  it('never sends requests for this machine through it, nor those of NO_PROXY', async () => {
    const http = client({proxy: {http: proxyUrl, noProxy: 'internal.invalid, other.test'}})
    await http.request({baseUrl: service.url}, {method: 'GET', path: '/a'})
    await http.request({baseUrl: service.url.replace('127.0.0.1', 'localhost')}, {method: 'GET', path: '/a'})
    await codeOf(http.request({baseUrl: 'http://registry.internal.invalid'}, {method: 'GET', path: '/a'}))
    expect(tunnels).to.deep.equal([])
    expect(service.requests).to.have.length(2)
  })

  it('ignores the proxy variables of the process: only the configuration counts', async () => {
    process.env['http_proxy'] = proxyUrl
    try {
      await codeOf(client({}).request({baseUrl: 'http://registry.invalid'}, {method: 'GET', path: '/a'}))
      await codeOf(
        client({proxy: {https: proxyUrl}}).request({baseUrl: 'http://registry.invalid'}, {method: 'GET', path: '/a'}),
      )
    } finally {
      delete process.env['http_proxy']
    }
    expect(tunnels).to.deep.equal([])
  })
})
