import {readFile, writeFile} from 'node:fs/promises'
import {isFileReference, parseWorkflowId} from '@atomctl/sdk/packages'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {packageText, trustOwnKey} from '../support/packages.ts'

const crlf = (text: string): string => text.replaceAll('\n', '\r\n')

// What editors on Windows write, and paths as they are there. The files are real; that a backslash separates folders is
// only true on Windows, so of paths only the decision that a name means a file is seen here.
describe('files from Windows', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await writeFile(sandbox.path('hello.wpk.yaml'), crlf(packageText()))
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const run = async (args: string[], input?: string): Promise<string> => {
    const {code, stdout, stderr} = await sandbox.atomctl(args, input === undefined ? {} : {input})
    expect(code, `${args.join(' ')}\n${stdout}${stderr}`).to.equal(0)
    return stdout
  }

  it('are signed with every line ending kept, and verify', async () => {
    await run(['validate', 'hello.wpk.yaml', '--strict'])
    await run(['sign', 'hello.wpk.yaml'])
    const text = await readFile(sandbox.path('hello.wpk.yaml'), 'utf8')
    expect(text.replaceAll('\r\n', '')).not.to.match(/[\r\n]/)
    await run(['verify', 'hello.wpk.yaml'])
  })

  it('mean the same as the one with other line endings: the signature is over what is meant', async () => {
    const text = await readFile(sandbox.path('hello.wpk.yaml'), 'utf8')
    await writeFile(sandbox.path('unix.wpk.yaml'), text.replaceAll('\r\n', '\n'))
    await run(['verify', 'unix.wpk.yaml'])
  })

  it('are lists, manifests and settings as well', async () => {
    expect(await run(['batch', 'verify', '-', '-q'], 'hello.wpk.yaml\r\nunix.wpk.yaml\r\n')).to.contain('hello-1.0.0')
    await writeFile(sandbox.path('list.yaml'), 'packages:\r\n  - hello.wpk.yaml\r\n  - unix.wpk.yaml\r\n')
    expect(await run(['batch', 'verify', '--manifest', 'list.yaml', '-q'])).to.equal('hello-1.0.0\nhello-1.0.0\n')
    await writeFile(sandbox.path('.atomctl.yaml'), 'registry_url: http://127.0.0.1:9\r\n')
    expect(await run(['config', 'get', 'registry_url'])).to.contain('http://127.0.0.1:9')
  })

  it('are told from workflow IDs by their backslashes and drives', () => {
    for (const path of [
      'C:\\runbooks\\rotate-1.0.0',
      '..\\rotate-1.0.0',
      'runbooks\\a.wpk.yaml',
      '\\\\server\\share\\x',
    ])
      expect([isFileReference(path), parseWorkflowId(path)], path).to.deep.equal([true, undefined])
    expect(isFileReference('rotate-1.0.0')).to.equal(false)
  })
})
