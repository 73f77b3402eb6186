import {mkdir, symlink, truncate, writeFile} from 'node:fs/promises'
import {refusedUrl} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey} from '../support/packages.ts'

describe('a file that', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await mkdir(sandbox.path('directory.wpk.yaml'))
    await writeFile(sandbox.path('empty.wpk.yaml'), '')
    await writeFile(sandbox.path('binary.wpk.yaml'), Buffer.from([0, 1, 2, 0xff, 0xfe, 0x80]))
    await writeFile(sandbox.path('latin.wpk.yaml'), Buffer.from('name: caf\xe9\n', 'latin1'))
    await writeFile(sandbox.path('deep.wpk.yaml'), '['.repeat(100_000))
    await writeFile(sandbox.path('huge.wpk.yaml'), '')
    await truncate(sandbox.path('huge.wpk.yaml'), 1024 ** 3)
    await writeFile(sandbox.path('broken.wpk.tar.gz'), Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3]))
    await symlink('loop.wpk.yaml', sandbox.path('loop.wpk.yaml'))
    await writeFile(sandbox.path('a\u001b[2J\n.wpk.yaml'), 'x: [')
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const files: [string, string, number][] = [
    ['is missing', 'missing.wpk.yaml', 2],
    ['is a directory', 'directory.wpk.yaml', 2],
    ['is empty', 'empty.wpk.yaml', 3],
    ['is binary', 'binary.wpk.yaml', 3],
    ['is not UTF-8', 'latin.wpk.yaml', 3],
    ['is nested without end', 'deep.wpk.yaml', 3],
    ['has a gigabyte', 'huge.wpk.yaml', 3],
    ['is a broken tarball', 'broken.wpk.tar.gz', 3],
    ['is a link to itself', 'loop.wpk.yaml', 2],
    ['has a hostile name', 'a\u001b[2J\n.wpk.yaml', 3],
  ]
  for (const [name, file, expected] of files) {
    it(`${name} is refused by push, run, inspect and diff before any request`, async () => {
      const url = await refusedUrl()
      for (const args of [
        ['push', file],
        ['run', `./${file}`],
        ['inspect', `./${file}`],
        ['diff', `./${file}`, `./${file}`],
      ]) {
        const options = {env: {ATOMCTL_REGISTRY_URL: url, ATOMCTL_RUNTIME_URL: url}}
        const text = await sandbox.atomctl(args, options)
        expect(text.code, `${args[0]}: ${text.stderr}`).to.equal(expected)
        expect(text.stderr).to.match(/^\[ERROR\] .{10,}/m)
        expect(text.stderr).not.to.contain('\u001b')
        const json = await sandbox.atomctl([...args, '--json'], options)
        expect(json.code).to.equal(expected)
        expect(JSON.parse(json.stdout)).to.have.nested.property('error.message')
      }
    })
  }
})
