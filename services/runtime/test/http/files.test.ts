import {createHash} from 'node:crypto'
import {Readable} from 'node:stream'
import type {PackageSource} from '@atomctl/protocol/packages'
import type {Execution} from '@atomctl/protocol/runtime'
import {packArchive} from '@atomctl/wpk/archive'
import type {SignedFile} from '@atomctl/wpk/signing'
import {expect} from 'chai'
import {shell, type PackageShape} from '../support/packages.ts'
import {TestService} from '../support/service.ts'
import {STARTUP_MS} from '../support/waiting.ts'

interface Content {
  path: string
  text: string
  exec: boolean
}

/** A registry that holds what a test puts there. */
class MemoryPackages implements PackageSource {
  readonly archives = new Map<string, Buffer>()

  open: PackageSource['open'] = (id) => {
    const bytes = this.archives.get(id)
    const digest = `sha256:${createHash('sha256')
      .update(bytes ?? '')
      .digest('hex')}`
    return Promise.resolve(bytes && {digest, mediaType: 'application/gzip', chunks: Readable.from([bytes])})
  }
}

describe('executing packages that bring files', () => {
  const packages = new MemoryPackages()
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start({packages})
  })
  after(() => service.stop())

  const FILES: Content[] = [
    {path: 'bin/hello.sh', text: '#!/bin/sh\necho "hello from a file, $1"\n', exec: true},
    {path: 'data.txt', text: 'some data\n', exec: false},
  ]
  const shape: PackageShape = {
    name: 'with-files',
    handlers: [shell('run', './bin/hello.sh "$WHO"; cat data.txt; [ -x data.txt ] || echo not executable')],
  }

  const signed = ({path, text, exec}: Content): SignedFile => ({
    path,
    exec,
    size: Buffer.byteLength(text),
    sha256: createHash('sha256').update(text).digest('hex'),
  })

  /** Signs for `files`, and stores an archive that holds `stored`. */
  async function push(stored: Content[], files = FILES, from: PackageShape = shape): Promise<Record<string, never>> {
    const {value} = await service.trust.signText(shape, files.map(signed))
    const {text} = await service.trust.signText(from, files.map(signed))
    const members = [{path: 'wpk.yaml', text, exec: false}, ...stored].map((file) => ({
      path: file.path,
      size: Buffer.byteLength(file.text),
      exec: file.exec,
      open: () => Readable.from([Buffer.from(file.text)]),
    }))
    packages.archives.set('with-files-1.0.0', Buffer.concat(await packArchive(members).toArray()))
    return value as never
  }

  const request = {workflow_id: 'with-files-1.0.0', parameters: {who: 'Ann'}}

  async function runPushed(content: Record<string, never>): Promise<Execution> {
    const answer = await service.submitContent(content, request)
    expect(answer.status).to.equal(200)
    return service.ended(answer.body.execution_id)
  }

  it('runs commands where the signed files are', async () => {
    const execution = await runPushed(await push(FILES))
    expect(execution.status).to.equal('completed')
    expect(execution.logs).to.include('[run] hello from a file, Ann').and.to.include('[run] some data')
    expect(execution.logs).to.include('[run] not executable')
  })

  for (const [what, stored] of [
    ['a changed file', [FILES[0]!, {...FILES[1]!, text: 'evil data\n'}]],
    ['a missing file', [FILES[0]!]],
    ['a further file', [...FILES, {path: 'extra.sh', text: 'echo', exec: false}]],
    ['a file made executable', [FILES[0]!, {...FILES[1]!, exec: true}]],
  ] as const)
    it(`refuses an archive with ${what}`, async () => {
      const execution = await runPushed(await push([...stored]))
      expect(execution.status).to.equal('failed')
      expect(execution.error_message).to.contain("The package's files cannot be prepared")
      expect(execution.logs).to.deep.equal([])
    })

  it('refuses an archive with another document', async () => {
    const execution = await runPushed(await push(FILES, FILES, {...shape, version: '9.9.9'}))
    expect(execution.error_message).to.contain('another document')
  })

  it('refuses bytes that are no archive', async () => {
    const content = await push(FILES)
    packages.archives.set('with-files-1.0.0', Buffer.from('not an archive'))
    expect((await runPushed(content)).status).to.equal('failed')
  })

  it('says so when the registry does not have the package', async () => {
    const content = await push(FILES)
    packages.archives.clear()
    expect((await runPushed(content)).error_message).to.contain('has no package with-files-1.0.0')
  })

  describe('on a runtime without a registry', () => {
    let alone: TestService
    before(async function () {
      this.timeout(STARTUP_MS)
      await service.runtime.close()
      alone = await TestService.start()
    })
    after(() => alone.stop())

    it('is not pretended', async () => {
      const {value} = await alone.trust.signText(shape, FILES.map(signed))
      const answer = await alone.submitContent(value, request)
      expect([answer.status, answer.body.code]).to.deep.equal([501, 'NOT_SUPPORTED'])
    })
  })
})
