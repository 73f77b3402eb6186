import {execFileSync} from 'node:child_process'
import {createWriteStream} from 'node:fs'
import {readFile, truncate, writeFile} from 'node:fs/promises'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'

const HUGE = 3 * 2 ** 30
const KEY = ['--key', 'cosign.pub']
const BUNDLE = ['--bundle', 'blob.bin.sigstore.json']

/** Whatever the paths of a blob, its bundle, key and trusted root name: read within bounds, or refused saying why. */
describe('what verify --bundle reads', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  before(async function () {
    if (process.platform === 'win32') return this.skip() // no FIFO, no /dev
    sandbox = await createSandbox()
    await writeFile(sandbox.path('blob.bin'), 'some bytes')
    for (const args of [
      ['keys', 'generate', '--no-trust'],
      ['sign', '--detached', 'blob.bin'],
    ]) {
      const {code, stderr} = await sandbox.atomctl(args)
      expect(code, stderr).to.equal(0)
    }
    await writeFile(sandbox.path('huge'), '')
    await truncate(sandbox.path('huge'), HUGE) // sparse: takes no room
    execFileSync('mkfifo', [sandbox.path('fifo')])
  })
  after(async () => sandbox?.[Symbol.asyncDispose]())

  const verify = (...args: string[]): Promise<RunResult> => sandbox.atomctl(['verify', ...args])

  const refusals: [string, string[], number, RegExp][] = [
    ['a huge bundle', ['blob.bin', '--bundle', 'huge', ...KEY], 11, /huge is too large to be a signature bundle/],
    ['a huge signature', ['blob.bin', '--signature', 'huge', ...KEY], 11, /huge is too large/],
    ['a huge key', ['blob.bin', ...BUNDLE, '--key', 'huge'], 2, /huge is not a key file/],
    ['a huge trusted root', ['blob.bin', ...BUNDLE, ...KEY, '--trusted-root', 'huge'], 2, /huge is larger than 1 MiB/],
    ['a bundle without end', ['blob.bin', '--bundle', '/dev/zero', ...KEY], 11, /too large/],
    ['a key without end', ['blob.bin', ...BUNDLE, '--key', '/dev/zero'], 2, /not a key file/],
    ['a trusted root without end', ['blob.bin', ...BUNDLE, ...KEY, '--trusted-root', '/dev/zero'], 2, /larger than/],
    ['an empty bundle', ['blob.bin', '--bundle', '/dev/null', ...KEY], 11, /not JSON/],
    ['an empty file in the place of the blob', ['/dev/null', ...BUNDLE, ...KEY], 11, /does not match/],
    ['a directory as the bundle', ['blob.bin', '--bundle', '.', ...KEY], 2, /is a directory/],
    ['a directory as the key', ['blob.bin', ...BUNDLE, '--key', '.'], 2, /is a directory/],
    ['a directory as the trusted root', ['blob.bin', ...BUNDLE, ...KEY, '--trusted-root', '.'], 2, /is a directory/],
    ['a directory as the blob', ['.', ...BUNDLE, ...KEY], 2, /is a directory/],
    ['standard input as two things', ['-', '--bundle', '-', ...KEY], 2, /either the file or its signature/],
  ]
  for (const [what, args, code, message] of refusals) {
    it(`is not ${what}`, async () => {
      const result = await verify(...args)
      expect([result.code, result.stdout], result.stderr).to.deep.equal([code, ''])
      expect(result.stderr)
        .to.match(message)
        .and.not.match(/\n\s+at /)
    })
  }

  const pipes: [string, string, string[]][] = [
    ['the blob', 'blob.bin', ['fifo', ...BUNDLE, ...KEY]],
    ['the bundle', 'blob.bin.sigstore.json', ['blob.bin', '--bundle', 'fifo', ...KEY]],
    ['the key', 'cosign.pub', ['blob.bin', ...BUNDLE, '--key', 'fifo']],
  ]
  for (const [what, file, args] of pipes) {
    it(`may be a pipe, for ${what}`, async () => {
      const content = await readFile(sandbox.path(file))
      const written = pipeline(Readable.from([content]), createWriteStream(sandbox.path('fifo')))
      const result = await verify(...args)
      await written
      expect(result.code, result.stderr).to.equal(0)
    })
  }

  it('is standard input as -, for the blob or for the bundle', async () => {
    const blob = await sandbox.atomctl(['verify', '-', ...BUNDLE, ...KEY], {input: 'some bytes'})
    expect(blob.code, blob.stderr).to.equal(0)
    expect((await sandbox.atomctl(['verify', '-', ...BUNDLE, ...KEY], {input: 'some byte'})).code).to.equal(11)
    const input = await readFile(sandbox.path('blob.bin.sigstore.json'))
    expect((await sandbox.atomctl(['verify', 'blob.bin', '--bundle', '-', ...KEY], {input})).code).to.equal(0)
  })

  it('is judged by the bytes that arrive, of a blob that is being written too', async () => {
    const fifo = createWriteStream(sandbox.path('fifo'))
    const running = verify('fifo', ...BUNDLE, ...KEY)
    await new Promise((resolve) => fifo.write('some ', resolve))
    await new Promise((resolve) => fifo.end('BYTES', () => resolve(undefined)))
    expect((await running).code).to.equal(11)
  })

  it('is a bundle of 2 MiB at most, to the byte', async () => {
    const text = await readFile(sandbox.path('blob.bin.sigstore.json'), 'utf8')
    const padded = text.trimEnd() + ' '.repeat(2 * 2 ** 20 - Buffer.byteLength(text.trimEnd()))
    await writeFile(sandbox.path('padded.json'), padded)
    expect((await verify('blob.bin', '--bundle', 'padded.json', ...KEY)).code).to.equal(0)
    await writeFile(sandbox.path('padded.json'), `${padded} `)
    expect((await verify('blob.bin', '--bundle', 'padded.json', ...KEY)).code).to.equal(11)
  })
})
