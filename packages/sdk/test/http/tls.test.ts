import {createServer, type Server} from 'node:https'
import type {AddressInfo} from 'node:net'
import {expect} from 'chai'
import {createHttpClient, type HttpClient, type HttpOptions} from '@atomctl/sdk/http'
import {certificate, privateKey} from './certificate.ts'
import {failed, testOptions} from './support.ts'

describe('http client over TLS', () => {
  let server: Server
  let port: number
  let connections: number
  const clients: HttpClient[] = []
  const ask = (host: string, options: Partial<HttpOptions> = {}): Promise<unknown> => {
    const http = createHttpClient(testOptions(options))
    clients.push(http)
    return http.request({baseUrl: `https://${host}:${port}`, token: 't0ken'}, {method: 'GET', path: '/a'})
  }

  beforeEach(async () => {
    connections = 0
    server = createServer({cert: certificate, key: privateKey}, (_request, response) => response.end('ok'))
    server.on('connection', () => connections++)
    await new Promise<void>((resolve) => server.listen(0, resolve))
    port = (server.address() as AddressInfo).port
  })

  afterEach(async () => {
    await Promise.all(clients.splice(0).map((one) => one.close()))
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it('explains a certificate nobody vouches for and says how to trust it, without trying again', async () => {
    const error = await failed(ask('localhost'))
    expect(error.code).to.equal('UNAVAILABLE')
    expect(error.message).to.equal('Network error: The server certificate is self-signed')
    expect(error.hint).to.include('NODE_EXTRA_CA_CERTS=')
    expect(connections).to.equal(1)
  })

  it('trusts the extra certificates it is given', async () => {
    expect(await ask('localhost', {extraCertificates: certificate})).to.include({status: 200})
  })

  it('still wants the certificate to be for the host', async () => {
    const error = await failed(ask('127.0.0.1', {extraCertificates: certificate}))
    expect(error.message).to.equal('Network error: The server certificate is for another host name')
  })
})
