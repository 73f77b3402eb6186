import {writeFile} from 'node:fs/promises'
import {refusedUrl} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {HOSTILE_FILES, writeHostileFiles} from '../support/hostile-files.ts'
import {trustOwnKey} from '../support/packages.ts'

describe('a command that talks to a service, given a file that', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await writeHostileFiles(sandbox)
    await writeFile(sandbox.path('broken.wpk.tar.gz'), Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]))
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const files = [
    ...HOSTILE_FILES,
    ['is a directory without a package', 'directory.wpk.yaml', 3],
    ['is a broken tarball', 'broken.wpk.tar.gz', 3],
  ] as const
  for (const [name, file, expected] of files) {
    it(`${name}, refuses it before any request`, async () => {
      const url = await refusedUrl()
      const path = `./${file}`
      for (const args of [
        ['push', path],
        ['run', path],
        ['inspect', path],
        ['diff', path, path],
      ]) {
        const options = {env: {ATOMCTL_REGISTRY_URL: url, ATOMCTL_RUNTIME_URL: url}}
        const text = await sandbox.atomctl(args, options)
        expect(text.code, `${args[0]}: ${text.stderr}`).to.equal(expected)
        expect(text.stderr).to.match(/^\[ERROR\] .{10,}/m)
        expect(text.stderr, 'escape sequences are defused').not.to.contain('\u001b')
        const json = await sandbox.atomctl([...args, '--json'], options)
        expect(json.code).to.equal(expected)
        expect(JSON.parse(json.stdout)).to.have.nested.property('error.message')
      }
    })
  }
})
