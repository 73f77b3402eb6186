import {execFileSync} from 'node:child_process'
import {mkdir, readFile, truncate, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {generateKeyPair} from '@atomctl/wpk/signing'
import {beginSigningKey} from '../../src/early-key.ts'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {writePackage} from '../support/packages.ts'

describe('the derivation that sign begins while it loads', () => {
  let sandbox: Sandbox

  before(async () => {
    sandbox = await createSandbox()
    for (const name of ['one', 'two']) {
      await writeFile(sandbox.path(`${name}.key`), (await generateKeyPair('correct horse')).privateKeyPem)
    }
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const saltOf = async (name: string): Promise<string> => {
    const [, base64 = ''] = /-----\n([^-]+)-----/.exec(await readFile(sandbox.path(name), 'utf8')) ?? []
    return (JSON.parse(Buffer.from(base64, 'base64').toString()) as {kdf: {salt: string}}).kdf.salt
  }
  const begin = (words: string[], environment: Record<string, string> = {}) =>
    beginSigningKey(['sign', 'a.wpk.yaml', ...words], {COSIGN_PASSWORD: 'correct horse', ...environment})

  it('takes the last file that --key names, then the one in the environment', async () => {
    const [one, two] = [sandbox.path('one.key'), sandbox.path('two.key')]
    const cases: [string[], Record<string, string>, string][] = [
      [['--key', one], {ATOMCTL_KEY: two}, 'one.key'],
      [[`--key=${two}`], {}, 'two.key'],
      [[`--key=${two}`, '--key', one], {}, 'one.key'],
      [[], {ATOMCTL_KEY: two}, 'two.key'],
      [['--', '--key', one], {ATOMCTL_KEY: two}, 'two.key'],
    ]
    for (const [words, environment, name] of cases) {
      expect(begin(words, environment)?.salt.toString('base64'), words.join(' ')).to.equal(await saltOf(name))
    }
  })

  it('is not begun where no key is needed, no password known, or the file can be none', async () => {
    await mkdir(sandbox.path('folder'))
    await writeFile(sandbox.path('text'), 'no key')
    await writeFile(sandbox.path('huge.key'), '')
    await truncate(sandbox.path('huge.key'), 2 ** 40)
    const one = sandbox.path('one.key')
    expect(begin(['--keyless', '--key', one])).to.equal(undefined)
    expect(begin(['--key', one, '--help'])).to.equal(undefined)
    expect(begin(['--key'])).to.equal(undefined)
    expect(beginSigningKey(['sign', '--key', one], {})).to.equal(undefined)
    for (const name of ['folder', 'text', 'huge.key', 'missing']) {
      expect(begin(['--key', sandbox.path(name)]), name).to.equal(undefined)
    }
  })

  it('leaves a pipe to the command, which reads it once', async () => {
    await writePackage(sandbox)
    execFileSync('mkfifo', [sandbox.path('pipe.key')])
    const signing = sandbox.atomctl(['sign', 'hello.wpk.yaml', '--key', 'pipe.key'])
    await writeFile(sandbox.path('pipe.key'), await readFile(sandbox.path('one.key')))
    expect(await signing).to.include({code: 0, stderr: ''})
  })
})
