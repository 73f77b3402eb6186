// A whole Sigstore on loopback: Fulcio, certificate log, Rekor v1 and v2, timestamp authority; real cryptography and
// real HTTP. Runs as a process of its own, because @sigstore/mock brings a nock that hangs beside the one of other tests.
// Prints one line of JSON when it is ready, and ends when its standard input does.
import {generateKeyPairSync} from 'node:crypto'
import {once} from 'node:events'
import {createServer, type IncomingMessage} from 'node:http'
import type {AddressInfo} from 'node:net'
import {
  fulcioHandler,
  initializeCA,
  initializeCTLog,
  initializeTLog,
  initializeTSA,
  rekorHandler,
  tsaHandler,
} from '@sigstore/mock'
import * as pkijs from 'pkijs'
import {sha256} from './digest.ts'
import {createRekorV2} from './rekor-v2.ts'
import {type Keys, signingConfig, trustedRoot} from './trust.ts'

type KeyPair = Parameters<typeof initializeTSA>[0]
type Handler = ReturnType<typeof fulcioHandler>['fn']
type TimestampRequest = Parameters<Awaited<ReturnType<typeof initializeTSA>>['timestamp']>[0]

const newKey = (): KeyPair => generateKeyPairSync('ec', {namedCurve: 'P-256'})

// Whole seconds: the mock writes fractions that readers refuse. Two seconds ahead: its CA root starts at the real time.
const clock = new Date(Math.floor(Date.now() / 1000) * 1000 + 2000)

const server = createServer()
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

const ctlog = await initializeCTLog(newKey(), clock)
const ca = await initializeCA(newKey(), ctlog, clock)
const tsa = await initializeTSA(newKey(), clock)
const rekor = await initializeTLog(url, newKey(), clock)
// sigstore-go expects a log's origin to be the host name of its URL, without the port
const rekorV2 = createRekorV2(new URL(url).hostname)

/** The mock logs a DSSE entry as it was proposed; the real Rekor rewrites it into its canonical form. */
const logProposed = rekor.log.bind(rekor)
rekor.log = (proposed) => {
  const {kind, spec} = proposed as DsseEntry
  return logProposed(kind === 'dsse' ? {apiVersion: '0.0.1', kind, spec: canonicalSpec(spec)} : proposed)
}

interface DsseEntry {
  readonly kind: string
  readonly spec: {readonly proposedContent: {readonly envelope: string; readonly verifiers: readonly string[]}}
}

function canonicalSpec({proposedContent: {envelope, verifiers}}: DsseEntry['spec']): object {
  const {payload, signatures} = JSON.parse(envelope) as {payload: string; signatures: {sig: string}[]}
  const hash = (bytes: string | Uint8Array): object => ({algorithm: 'sha256', value: sha256(bytes).toString('hex')})
  return {
    envelopeHash: hash(envelope),
    payloadHash: hash(Buffer.from(payload, 'base64')),
    signatures: [{signature: signatures[0]?.sig, verifier: verifiers[0]}],
  }
}

const handlers = [fulcioHandler(ca), rekorHandler(rekor), tsaHandler(tsa)]
const routes = new Map<string, Handler>(handlers.map(({path, fn}) => [path, fn]))
routes.set('/v2log/api/v2/log/entries', async (body) => {
  return {statusCode: 201, contentType: 'application/json', response: JSON.stringify(rekorV2.log(body))}
})

/** Go clients give the token in a header, which the mock does not read. */
function withCredentials(text: string, {headers}: IncomingMessage): string {
  const request = JSON.parse(text) as {credentials?: object}
  const oidcIdentityToken = (headers.authorization ?? '').replace(/^Bearer /i, '')
  return JSON.stringify({...request, credentials: request.credentials ?? {oidcIdentityToken}})
}

/** Go clients ask for timestamps in DER, with a nonce of 20 bytes; the mock takes JSON and a number. */
async function timestamp(query: Buffer): Promise<Uint8Array> {
  const {messageImprint, nonce, certReq} = pkijs.TimeStampReq.fromBER(query)
  const clocked = tsa as typeof tsa & {tstInfo(request: object): {nonce?: unknown}}
  const original = clocked.tstInfo.bind(tsa)
  clocked.tstInfo = (request) => Object.assign(original(request), {nonce})
  try {
    const answer = await tsa.timestamp({
      artifactHash: Buffer.from(messageImprint.hashedMessage.valueBlock.valueHexView),
      hashAlgorithmOID: '2.16.840.1.101.3.4.2.1',
      nonce: 1,
      policyOID: '1.3.6.1.4.1.57264.2',
      certReq,
    } as TimestampRequest)
    return Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength)
  } finally {
    clocked.tstInfo = original
  }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string | Uint8Array
  readonly etag?: string
}

async function answer(request: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = Buffer.concat(chunks)
  const path = request.url ?? ''
  if (request.headers['content-type'] === 'application/timestamp-query') {
    return {status: 201, type: 'application/timestamp-reply', body: await timestamp(body)}
  }
  const handler = routes.get(path)
  if (!handler) return {status: 404, type: 'text/plain', body: `no ${path} here`}
  const isFulcio = path === '/api/v2/signingCert'
  const text = isFulcio ? withCredentials(body.toString(), request) : body.toString()
  const {statusCode, contentType = 'text/plain', response} = await handler(text)
  const bytes = typeof response === 'string' ? response : new Uint8Array(response.buffer)
  // the real Fulcio answers 200, and Go clients insist on it
  // by this header Go clients find the entry in Rekor's answer
  const etag = path === '/api/v1/log/entries' ? Object.keys(JSON.parse(String(response)) as object)[0] : undefined
  const status = isFulcio && statusCode === 201 ? 200 : statusCode
  return {status, type: contentType, body: bytes, ...(etag === undefined ? {} : {etag})}
}

// One after the other: a timestamp's nonce is passed through the mock.
let last: Promise<unknown> = Promise.resolve()
server.on('request', (request, response) => {
  last = last.then(async () => {
    try {
      const {status, type, body, etag} = await answer(request)
      response.writeHead(status, {'content-type': type, ...(etag === undefined ? {} : {etag})}).end(body)
    } catch (error) {
      response.writeHead(400, {'content-type': 'application/json'})
      response.end(JSON.stringify({message: (error as Error).message}))
    }
  })
})

const bytesOf = (view: ArrayBufferView): Uint8Array => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
const keys: Keys = {
  url,
  rekor: rekor.publicKey,
  rekorV2: {url: `${url}/v2log`, spki: rekorV2.spki, keyId: rekorV2.keyId},
  ctlog: ctlog.publicKey,
  caRoot: bytesOf(ca.rootCertificate),
  tsaChain: [bytesOf(tsa.intCertificate), bytesOf(tsa.rootCertificate)],
}
const ready = {
  url,
  trustedRoot: trustedRoot(keys),
  signingConfigs: {1: signingConfig(keys, 1), 2: signingConfig(keys, 2)},
}
process.stdout.write(`${JSON.stringify(ready)}\n`)
process.stdin.on('end', () => process.exit(0)).resume()
