import {randomBytes} from 'node:crypto'
import {connect, type Socket} from 'node:net'
import {Readable, Writable} from 'node:stream'
import Fastify from 'fastify'
import {expect} from 'chai'
import {discovery, REGISTRY_CAPABILITIES} from '@atomctl/protocol/discovery'
import {AtomError} from '@atomctl/wpk/errors'
import {createKey, packText, signText, writeDocument, type Key} from './support/packages.ts'
import {call, push, startServer, TOKENS, type ServerOptions, type TestServer} from './support/server.ts'

describe('the registry as a service', function () {
  this.timeout(60_000)
  let key: Key
  let server: TestServer

  before(async () => {
    key = await createKey()
    server = await startServer(key.policy)
    await push(server, await signText(writeDocument(), key.signer))
  })
  after(() => server?.close())

  it('announces its protocol and capabilities to everyone', async () => {
    const {status, body} = await call(server, '/.well-known/atom', {token: null})
    expect(status).to.equal(200)
    expect(discovery.parse(body)).to.deep.equal({
      service: 'registry',
      version: '1.2.3',
      protocol: '1',
      capabilities: [...REGISTRY_CAPABILITIES],
    })
  })

  it('is healthy, in UTC', async () => {
    const {body} = await call(server, '/health', {token: null})
    expect(body.status).to.equal('healthy')
    expect(body.timestamp).to.match(/Z$/)
  })

  it('refuses to sign and says how signing works', async () => {
    const {status, body} = await call(server, '/workflows/hello-1.0.0/sign', {method: 'POST'})
    expect([status, body.code]).to.deep.equal([501, 'NOT_SUPPORTED'])
    expect(body.hint).to.contain('atomctl sign')
  })

  describe('paths and methods', () => {
    for (const path of ['/', '/nothing', '//workflows', '/metrics', '/workflows/a/b/c']) {
      it(`answers 404 "Not Found" at ${path}`, async () => {
        const {status, body} = await call(server, path)
        expect([status, body.detail]).to.deep.equal([404, 'Not Found'])
      })
    }

    for (const [method, path] of [
      ['PUT', '/workflows'],
      ['PATCH', '/workflows/hello-1.0.0'],
      ['POST', '/workflows/hello-1.0.0'],
      ['DELETE', '/workflows'],
      ['HEAD', '/workflows'],
      ['OPTIONS', '/workflows/hello-1.0.0/content'],
      ['GET', '/workflows/hello-1.0.0/dry-run'],
    ] as const) {
      it(`answers 405 to ${method} ${path} and names what is allowed`, async () => {
        const {status, headers, body} = await call(server, path, {method})
        expect(status).to.equal(405)
        expect(headers.get('allow')).to.match(/GET|POST/)
        if (method !== 'HEAD') expect(body.detail).to.equal('Method Not Allowed')
      })
    }

    it('takes a path with a slash at its end as one without', async () => {
      expect((await call(server, '/workflows/')).status).to.equal(200)
    })

    it('sends the headers that keep browsers from guessing', async () => {
      const {headers} = await call(server, '/workflows')
      expect(headers.get('x-content-type-options')).to.equal('nosniff')
      expect(headers.get('content-security-policy')).to.be.a('string')
      expect(headers.get('x-powered-by')).to.equal(null)
    })
  })

  describe('tokens', () => {
    const attempts: [string, Record<string, string>, number, string][] = [
      ['no header', {}, 401, 'Not authenticated'],
      ['a scheme without a token', {authorization: 'Bearer '}, 401, 'Not authenticated'],
      ['another scheme', {authorization: 'Basic YTpi'}, 401, 'Invalid authentication credentials'],
      ['an unknown token', {authorization: 'Bearer nonsense'}, 401, 'Invalid authentication credentials'],
      ['two words', {authorization: `Bearer ${TOKENS.admin} x`}, 401, 'Invalid authentication credentials'],
    ]
    for (const [title, headers, status, detail] of attempts) {
      it(`answers ${status} to ${title}`, async () => {
        const answer = await call(server, '/workflows/hello-1.0.0', {method: 'DELETE', token: null, headers})
        expect([answer.status, answer.body.detail]).to.deep.equal([status, detail])
        expect(answer.headers.get('www-authenticate')).to.equal('Bearer')
      })
    }

    it('accepts the scheme in any case', async () => {
      const headers = {authorization: `bEARER ${TOKENS.reader}`}
      const answer = await call(server, '/workflows/hello-1.0.0/dry-run', {method: 'POST', token: null, headers})
      expect(answer.status).to.equal(200)
    })

    it('wants one for reading too when anonymous reads are not allowed', () =>
      withServer({anonymousReads: false}, async (closed) => {
        for (const path of [
          '/workflows',
          '/workflows/a-1.0.0',
          '/workflows/a-1.0.0/content',
          '/workflows/a-1.0.0/runs',
        ]) {
          expect((await call(closed, path, {token: null})).status).to.equal(401)
        }
        expect((await call(closed, '/workflows', {token: TOKENS.reader})).status).to.equal(200)
        expect((await call(closed, '/health', {token: null})).status).to.equal(200)
        expect((await call(closed, '/.well-known/atom', {token: null})).status).to.equal(200)
      }))

    it('may be looked up by a store of one’s own', () =>
      withServer(
        {tokens: {identify: async (token) => (token === 'x' ? {name: 'x', role: 'admin'} : undefined)}},
        async (own) => {
          expect((await call(own, '/workflows/a-1.0.0', {method: 'DELETE', token: 'x'})).status).to.equal(404)
          expect((await call(own, '/workflows/a-1.0.0', {method: 'DELETE', token: 'y'})).status).to.equal(401)
        },
      ))

    it('refuses to start with a digest that is none', async () => {
      const started = withServer({tokens: {digests: ['plain-text-token']}}, async () => {})
      expect((await started.catch((error: Error) => error.message)) ?? '').to.contain('SHA-256')
    })

    it('never reach the log', async () => {
      const lines: string[] = []
      const stream = new Writable({
        write(chunk: Buffer, _encoding, done) {
          lines.push(chunk.toString())
          done()
        },
      })
      const logger = Fastify({logger: {level: 'trace', stream}}).log
      await withServer({logger}, async (logging) => {
        await call(logging, '/workflows')
        await push(logging, 'no: package')
        await call(logging, '/workflows/a-1.0.0', {method: 'DELETE', token: 'wrong-secret-token'})
        await logging.storage.pool.query('drop table registry_runs')
        await call(logging, '/workflows/a-1.0.0/runs')
      })
      const log = lines.join('')
      expect(log).to.contain('request failed').and.contain('/workflows')
      expect(log).to.not.contain('secret-token')
    })
  })

  describe('when it fails', () => {
    it('answers 500 without saying what is inside', () =>
      withServer({}, async (broken) => {
        await broken.storage.pool.query('drop table registry_packages cascade')
        const {status, body} = await call(broken, '/workflows')
        expect([status, body]).to.deep.equal([500, {detail: 'Internal Server Error'}])
      }))

    it('says when the disk for uploads is missing, and goes on', () =>
      withServer({spoolDirectory: '/nonexistent/spool'}, async (broken) => {
        const answer = await push(broken, await signText(writeDocument(), key.signer))
        expect([answer.status, answer.body.code]).to.deep.equal([503, 'UNAVAILABLE'])
        expect(answer.body.detail).to.contain('ENOENT').and.not.contain('nonexistent')
        expect((await call(broken, '/health')).status).to.equal(200)
      }))
  })

  it('accepts nothing while its trust policy cannot be read, and says so', async () => {
    const trustPolicy = () =>
      Promise.reject(new AtomError('TRUST_POLICY_INVALID', 'trust-policy.yaml:3: no such key file'))
    const broken = await startServer(key.policy, {trustPolicy})
    const answer = await push(broken, await signText(writeDocument(), key.signer))
    expect([answer.status, answer.body.code]).to.deep.equal([503, 'TRUST_POLICY_INVALID'])
    expect((await call(broken, '/workflows')).body.total).to.equal(0)
    await broken.close()
  })

  describe('sizes and slowness', () => {
    const limits = {
      packageBytes: 100_000,
      jsonBytes: 1000,
      headersMs: 1000,
      graceMs: 200,
      bytesPerSecond: 1000,
      lingerMs: 200,
    }

    it('answers 413 to an upload over the limit, announced or not, and keeps nothing', () =>
      withServer({limits}, async (small) => {
        expect((await push(small, 'x'.repeat(100_001))).status).to.equal(413)
        expect((await push(small, 'x'.repeat(5_000_000))).body.code).to.equal('ARCHIVE_TOO_LARGE')
        const {rows} = await small.storage.pool.query('select count(*)::int from storage_bytes')
        expect(rows).to.deep.equal([{count: 0}])
      }))

    it('answers 413 to a document above 1 MiB and to a large JSON body', () =>
      withServer({limits: {jsonBytes: 1000}}, async (small) => {
        expect((await push(small, `# ${'x'.repeat(1024 * 1024)}`)).status).to.equal(413)
        const path = '/workflows/hello-1.0.0/runs/notify'
        const answer = await call(small, path, {method: 'POST', json: {run_id: 'x'.repeat(2000)}})
        expect(answer.status).to.equal(413)
      }))

    it('closes a connection whose headers never end', () =>
      withServer({limits}, async (strict) => {
        const socket = openSocket(strict)
        socket.write('GET /workflows HTTP/1.1\r\nHost: x\r\n')
        expect(await readToEnd(socket)).to.match(/^(HTTP\/1.1 408 |$)/)
      }))

    it('closes a connection whose body trickles', () =>
      withServer({limits}, async (strict) => {
        const socket = openSocket(strict)
        const headers = `Host: x\r\nAuthorization: Bearer ${TOKENS.admin}\r\nContent-Type: application/json\r\nContent-Length: 900`
        socket.write(`POST /workflows/hello-1.0.0/runs/notify HTTP/1.1\r\n${headers}\r\n\r\n{`)
        const trickle = setInterval(() => socket.write(' '), 20)
        expect(await readToEnd(socket)).to.not.contain('200 OK')
        clearInterval(trickle)
        expect((await call(strict, '/health')).status).to.equal(200)
      }))

    it('lets go of the rest of a refused upload', () =>
      withServer({limits}, async (strict) => {
        const socket = openSocket(strict)
        const headers = 'Host: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 90000000'
        socket.write(`POST /workflows HTTP/1.1\r\n${headers}\r\n\r\n`)
        const feed = setInterval(() => socket.write('x'.repeat(10_000)), 10)
        expect(await readToEnd(socket)).to.contain('401 Unauthorized')
        clearInterval(feed)
      }))

    it('serves others while one client hardly sends and another hardly reads', () =>
      withServer({}, async (shared) => {
        const noise = randomBytes(6_000_000)
        const big = {path: 'noise.bin', size: noise.length, exec: false, open: () => Readable.from([noise])}
        const archive = await packText(writeDocument({name: 'big'}), key.signer, [big])
        expect((await push(shared, new Uint8Array(archive))).status).to.equal(200)
        const reader = openSocket(shared)
        reader.write('GET /workflows/big-1.0.0/content HTTP/1.1\r\nHost: x\r\n\r\n')
        await new Promise((resolve) => reader.once('readable', resolve)) // and never reads on
        const sender = openSocket(shared)
        const headers = `Host: x\r\nAuthorization: Bearer ${TOKENS.admin}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000`
        sender.write(`POST /workflows HTTP/1.1\r\n${headers}\r\n\r\n--x\r\n`)
        expect((await push(shared, await signText(writeDocument(), key.signer))).status).to.equal(200)
        expect((await call(shared, '/workflows')).body.total).to.equal(2)
        reader.destroy()
        sender.destroy()
      }))

    it('keeps nothing of an upload that ends half-way', () =>
      withServer({}, async (fresh) => {
        const socket = openSocket(fresh)
        const headers = `Host: x\r\nAuthorization: Bearer ${TOKENS.admin}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 9000`
        socket.write(
          `POST /workflows HTTP/1.1\r\n${headers}\r\n\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nkind: `,
        )
        socket.end()
        await readToEnd(socket)
        const {rows} = await fresh.storage.pool.query('select count(*)::int from storage_bytes')
        expect(rows).to.deep.equal([{count: 0}])
        expect((await call(fresh, '/health')).status).to.equal(200)
      }))
  })

  async function withServer(options: ServerOptions, use: (server: TestServer) => Promise<void>): Promise<void> {
    const own = await startServer(key.policy, options)
    try {
      await use(own)
    } finally {
      await own.close()
    }
  }
})

function openSocket({url}: TestServer): Socket {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {}) // the server may reset it: that is what is being tested
  return socket
}

async function readToEnd(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => socket.once('close', resolve))
  return Buffer.concat(chunks).toString()
}
