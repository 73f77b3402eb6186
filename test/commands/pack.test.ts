import {randomBytes} from 'node:crypto'
import {chmod, mkdir, readFile, writeFile} from 'node:fs/promises'
import {setImmediate} from 'node:timers/promises'
import {expect} from 'chai'
import {createSandbox, filesOf, finished, type Sandbox} from '../support/atomctl.ts'
import {packageText, trustOwnKey, writePackage} from '../support/packages.ts'

describe('pack', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const pack = (...args: string[]) => sandbox.atomctl(['pack', ...args])
  const packJson = async (...args: string[]): Promise<{file: string; digest: string; size: number; files: number}> => {
    const {stdout} = await pack(...args, '--json')
    return (JSON.parse(stdout) as {data: {file: string; digest: string; size: number; files: number}}).data
  }
  async function writeDirectory(): Promise<void> {
    await mkdir(sandbox.path('book/scripts'), {recursive: true})
    await writeFile(sandbox.path('book/book.wpk.yaml'), packageText({name: 'book'}))
    await writeFile(sandbox.path('book/scripts/run.sh'), '#!/bin/sh\necho run\n')
    await chmod(sandbox.path('book/scripts/run.sh'), 0o755)
    await writeFile(sandbox.path('book/notes.txt'), 'notes')
  }

  it('writes NAME-VERSION.wpk.tar.gz into the working directory', async () => {
    const {code, stdout} = await pack(await writePackage(sandbox))
    expect(code).to.equal(0)
    expect(stdout).to.match(/^\[SUCCESS\] Packed WPK: hello-1\.0\.0\.wpk\.tar\.gz$/m)
    expect(await filesOf(sandbox)).to.include('hello-1.0.0.wpk.tar.gz')
  })

  it('gives the same bytes each time, with the files of a directory and their order in it', async () => {
    await writeDirectory()
    const first = await packJson('book', '-o', 'first.tgz')
    await chmod(sandbox.path('book/notes.txt'), 0o600)
    const second = await packJson('book', '-o', 'second.tgz')
    expect(first).to.deep.include({file: 'first.tgz', files: 3})
    expect(second.digest).to.equal(first.digest)
  })

  it('takes -o as the path, the name of a format as the format, and a directory as the place', async () => {
    const file = await writePackage(sandbox)
    await mkdir(sandbox.path('dist'))
    expect((await packJson(file, '-o', 'dist')).file).to.equal('dist/hello-1.0.0.wpk.tar.gz')
    expect((await packJson(file, '-o', 'out/x.tgz')).file).to.equal('out/x.tgz')
    expect((await pack(file, '-o', 'json')).stdout).to.contain('"kind": "PackedPackage"')
    expect((await pack(file, '-q', '-o', 'y.tgz')).stdout).to.equal('y.tgz\n')
    expect((await pack(file, '-o', '-')).code).to.equal(2)
  })

  it('signs document and tarball with --sign, and both verify', async () => {
    await trustOwnKey(sandbox)
    await writeDirectory()
    const {code, stdout} = await pack('book', '--sign')
    expect(code).to.equal(0)
    expect(stdout).to.match(/^\[SUCCESS\] Signed and packed: book-1\.0\.0\.wpk\.tar\.gz$/m)
    expect(await readFile(sandbox.path('book/book.wpk.yaml'), 'utf8')).to.contain(
      'signature: "sigstore-bundle:v0.3;base64,',
    )
    const verified = await sandbox.atomctl(['verify', 'book-1.0.0.wpk.tar.gz'])
    expect(verified.code).to.equal(0)
    expect(verified.stdout).to.contain('Signed Files: 2').and.to.contain('Bundle: book-1.0.0.wpk.tar.gz.sigstore.json')
  })

  it('leaves everything as it was when signing fails', async () => {
    await trustOwnKey(sandbox)
    const file = await writePackage(sandbox)
    const before = await filesOf(sandbox)
    const {code, stderr} = await sandbox.atomctl(['pack', file, '--sign'], {env: {COSIGN_PASSWORD: 'wrong'}})
    expect(code).to.equal(4)
    expect(stderr).to.contain('COSIGN_PASSWORD')
    expect(await readFile(sandbox.path(file), 'utf8')).to.equal(packageText())
    expect(await filesOf(sandbox)).to.deep.equal(before)
  })

  it('leaves everything as it was when the bundle cannot be written', async () => {
    await trustOwnKey(sandbox)
    const file = await writePackage(sandbox)
    await mkdir(sandbox.path('hello-1.0.0.wpk.tar.gz.sigstore.json'))
    const before = await filesOf(sandbox)
    const {code, stderr} = await pack(file, '--sign')
    expect(code).to.equal(1)
    expect(stderr).to.contain('hello-1.0.0.wpk.tar.gz.sigstore.json: it is a directory')
    expect(await readFile(sandbox.path(file), 'utf8')).to.equal(packageText())
    expect(await filesOf(sandbox)).to.deep.equal(before)
  })

  it('writes nothing for a package that is not valid', async () => {
    await writeFile(sandbox.path('evil.wpk.yaml'), packageText({name: '../evil'}))
    const {code, stderr} = await pack('evil.wpk.yaml')
    expect(code).to.equal(3)
    expect(stderr).to.contain('[ERROR]')
    expect((await filesOf(sandbox)).filter((name) => name.endsWith('.gz'))).to.deep.equal([])
  })

  it('refuses links and private keys among the files', async () => {
    await trustOwnKey(sandbox)
    await writeDirectory()
    await writeFile(sandbox.path('book/cosign.key'), await readFile(sandbox.path('cosign.key')))
    const {code, stderr} = await pack('book')
    expect(code).to.equal(3)
    expect(stderr)
      .to.contain('is a private key')
      .and.to.match(/^hint: /m)
  })

  it('warns of signatures that no longer fit what was packed', async () => {
    await trustOwnKey(sandbox)
    await writeDirectory()
    await pack('book', '--sign')
    expect((await pack('book')).stderr).to.equal('')
    await writeFile(sandbox.path('book/notes.txt'), 'changed')
    const {code, stderr} = await pack('book')
    expect(code).to.equal(0)
    expect(stderr).to.match(/^\[WARNING\] the signature in .* does not cover what was packed/m)
    expect(stderr).to.match(/^\[WARNING\] book-1\.0\.0\.wpk\.tar\.gz\.sigstore\.json belongs to an earlier tarball/m)
  })

  it('leaves no half-written tarball when it is interrupted', async () => {
    await writeDirectory()
    // larger than can be compressed before the signal arrives
    await writeFile(sandbox.path('book/data.bin'), randomBytes(32 * 1024 ** 2))
    const child = sandbox.spawn(['pack', 'book'])
    const ended = finished(child)
    while (!(await filesOf(sandbox)).some((name) => name.endsWith('.tmp'))) await setImmediate()
    child.kill('SIGINT')
    const {code, stderr} = await ended
    expect(code).to.equal(130)
    expect(stderr).to.contain('[ERROR] Interrupted')
    expect(await filesOf(sandbox)).to.deep.equal(['book'])
  })

  it('refuses a SOURCE_DATE_EPOCH that is no time', async () => {
    const file = await writePackage(sandbox)
    const {code, stderr} = await sandbox.atomctl(['pack', file], {env: {SOURCE_DATE_EPOCH: 'yesterday'}})
    expect(code).to.equal(2)
    expect(stderr).to.contain('SOURCE_DATE_EPOCH')
  })
})
