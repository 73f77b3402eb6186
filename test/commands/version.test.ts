import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'

describe('version', () => {
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
  })
  after(() => sandbox[Symbol.asyncDispose]())

  it('is one line, and with --verbose what there is to know of the installation', async () => {
    const short = await sandbox.atomctl(['version'])
    expect(short.stdout).to.match(/^atomctl\/\S+ \S+ node-v\S+\n$/)
    const {code, stdout} = await sandbox.atomctl(['version', '--verbose'])
    expect(code).to.equal(0)
    expect(stdout.startsWith(short.stdout)).to.equal(true)
    for (const line of [
      /Installed as: checkout of the sources/,
      /V8: \d/,
      /Services: installed/,
      /@atomctl\/plugin-dev/,
    ]) {
      expect(stdout).to.match(line)
    }
  })

  it('says the same to a program', async () => {
    const {stdout} = await sandbox.atomctl(['version', '-o', 'json'])
    const {data} = JSON.parse(stdout) as {data: Record<string, unknown>}
    expect(data).to.include({kind: 'source', node: process.versions.node, v8: process.versions.v8, services: true})
  })
})
