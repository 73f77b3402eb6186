import {createCipheriv, createHash} from 'node:crypto'
import {createReadStream, createWriteStream, openAsBlob} from 'node:fs'
import {mkdtemp, rm, stat} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {setInterval} from 'node:timers/promises'
import {expect} from 'chai'
import {digestFiles, documentMember, packArchive, type PackageFile} from '@atomctl/wpk/archive'
import type {Signer} from '@atomctl/wpk/signing'
import {spawnServer, type ServerProcess} from './support/child.ts'
import {signText, writeDocument, writeKey} from './support/packages.ts'
import {call, TOKENS} from './support/server.ts'

const MEBIBYTE = 1024 * 1024
/** PGlite with the registry idles near 200 MB; a package of 200 MB must not show beside that. */
const MEMORY = 450 * MEBIBYTE

describe('a package of 200 MB', function () {
  this.timeout(240_000)

  let directory: string
  let server: ServerProcess
  let file: string

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'atomctl-large-'))
    const {signer, policyFile} = await writeKey(directory)
    file = join(directory, 'large.wpk.tar.gz')
    await writeArchive(file, signer)
    server = await spawnServer(join(directory, 'data'), policyFile)
  })
  after(async () => {
    await server?.kill('SIGKILL')
    await rm(directory, {recursive: true, force: true})
  })

  it('is taken while others are served', async () => {
    const pushing = pushFile(server.url, file)
    const waits = await measureWaits(server, pushing)
    expect((await pushing).status).to.equal(200)
    expect(Math.max(...waits), 'the longest wait of another request, in ms').to.be.below(5000)
  })

  it('is given back as it came', async () => {
    const response = await fetch(`${server.url}/workflows/large-1.0.0/content`)
    expect(Number(response.headers.get('content-length'))).to.equal((await stat(file)).size)
    expect(await digestOf(response.body ?? [])).to.equal(await digestOf(createReadStream(file)))
  })

  it('took the server no more memory than small ones do', async () => {
    expect(await server.peakMemory()).to.be.below(MEMORY)
  })
})

async function writeArchive(file: string, signer: Signer): Promise<void> {
  const files = await digestFiles([noise('noise.bin', 200 * MEBIBYTE)])
  const text = await signText(writeDocument({name: 'large'}), signer, files)
  await pipeline(packArchive([documentMember(Buffer.from(text)), ...files]), createWriteStream(file))
}

/** Bytes that do not compress and are the same each time. */
function noise(path: string, size: number): PackageFile {
  const zeros = Buffer.alloc(MEBIBYTE)
  function* generate(): Generator<Buffer> {
    const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16))
    for (let done = 0; done < size; done += zeros.length) yield cipher.update(zeros)
  }
  return {path, size, exec: false, open: () => Readable.from(generate(), {objectMode: false})}
}

async function pushFile(url: string, file: string): Promise<Response> {
  const form = new FormData()
  form.append('file', await openAsBlob(file), 'large.wpk.tar.gz')
  return fetch(`${url}/workflows`, {method: 'POST', body: form, headers: {authorization: `Bearer ${TOKENS.publisher}`}})
}

/** How long requests of other people take, in ms, until `work` is done. */
async function measureWaits(server: {url: string}, work: Promise<unknown>): Promise<number[]> {
  const waits: number[] = []
  const stop = new AbortController()
  void work.finally(() => stop.abort())
  for await (const _tick of setInterval(100)) {
    if (stop.signal.aborted) break
    const started = performance.now()
    expect((await call(server, '/workflows')).status).to.equal(200)
    waits.push(performance.now() - started)
  }
  return waits
}

async function digestOf(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of chunks) digest.update(chunk)
  return digest.digest('hex')
}
