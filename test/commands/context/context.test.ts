import {readFile, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../../support/atomctl.ts'

describe('context', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const context = (args: string[], input = '') => sandbox.atomctl(['context', ...args], {input})
  const value = async (key: string, ...flags: string[]): Promise<string> =>
    (await sandbox.atomctl(['config', 'get', key, ...flags])).stdout.trim()
  const createProd = () =>
    context(
      ['create', 'prod', '--registry-url', 'https://r.example', '--auth-token', '-', '--protected'],
      'prod-token\n',
    )

  it('create, use and delete change what commands talk to', async () => {
    expect((await createProd()).stdout).to.equal('[SUCCESS] Context prod created\n')
    expect(await value('registry_url')).to.equal('http://localhost:8000')
    expect(await value('registry_url', '--context', 'prod')).to.equal('https://r.example')
    expect((await context(['use', 'prod'])).stdout).to.equal('[SUCCESS] Context prod is now in use\n')
    expect(await value('registry_url')).to.equal('https://r.example')
    expect((await context(['delete', 'prod', '--confirm', 'prod'])).code).to.equal(0)
    expect(await value('registry_url')).to.equal('http://localhost:8000')
    expect(await value('current_context')).to.equal('')
  })

  it('list marks the current one and never prints a token', async () => {
    expect((await context(['list'])).stdout).to.contain('No contexts')
    await createProd()
    await context(['create', 'dev', '--registry-url', 'http://127.0.0.1:1', '--use'])
    const {stdout} = await context(['list'])
    expect(stdout).to.match(/^\* +dev +http:\/\/127\.0\.0\.1:1 +- +- +no$/m)
    expect(stdout).to.match(/^ +prod +https:\/\/r\.example +- +set +yes$/m)
    expect((await context(['list', '-q'])).stdout).to.equal('prod\ndev\n')
    for (const format of ['wide', 'json', 'yaml', 'ndjson']) {
      expect((await context(['list', '-o', format])).stdout)
        .to.contain('prod')
        .and.not.to.contain('prod-token')
    }
  })

  it('config --context writes into the context', async () => {
    await createProd()
    const {code, stdout} = await sandbox.atomctl([
      'config',
      'set',
      'runtime_url',
      'https://x.example',
      '--context',
      'prod',
    ])
    expect(code).to.equal(0)
    expect(stdout).to.equal('[SUCCESS] Runtime URL of context prod set to: https://x.example\n')
    expect(await value('runtime_url')).to.equal('http://localhost:4000')
    expect(await value('runtime_url', '--context', 'prod')).to.equal('https://x.example')
    const foreign = await sandbox.atomctl(['config', 'set', 'output', 'json', '--context', 'prod'])
    expect(foreign.code).to.equal(2)
  })

  it('a protected context is deleted only by its name', async () => {
    await createProd()
    for (const args of [[], ['--confirm', 'dev']]) {
      const {code, stderr} = await context(['delete', 'prod', ...args])
      expect(code).to.equal(2)
      expect(stderr).to.contain('hint: add --confirm prod')
    }
    expect((await context(['list', '-q'])).stdout).to.equal('prod\n')
  })

  it('create replaces nothing without --force', async () => {
    await createProd()
    const again = await context(['create', 'prod', '--registry-url', 'https://other.example'])
    expect(again.code).to.equal(7)
    expect(await value('registry_url', '--context', 'prod')).to.equal('https://r.example')
    expect((await context(['create', 'prod', '--registry-url', 'https://other.example', '--force'])).code).to.equal(0)
    expect(await value('auth_token', '--context', 'prod'), 'the old token is gone with the old URL').to.equal('')
  })

  const mistakes: [string, string[], string][] = [
    ['a name that is none', ['create', '../x', '--registry-url', 'http://x.example'], 'letters, digits'],
    ['a URL that is none', ['create', 'x', '--registry-url', 'nowhere'], 'http'],
    ['using what is not there', ['use', 'prodd'], 'did you mean prod?'],
    ['deleting what is not there', ['delete', 'nothing-like-it'], 'atomctl context list'],
  ]
  for (const [name, args, words] of mistakes) {
    it(`refuses ${name} and changes nothing`, async () => {
      await createProd()
      const before = await readFile(sandbox.path('.atomctl/config.yaml'), 'utf8')
      const {code, stderr} = await context(args)
      expect(code).to.equal(2)
      expect(stderr)
        .to.match(/^\[ERROR\] /m)
        .and.to.contain(words)
      expect(await readFile(sandbox.path('.atomctl/config.yaml'), 'utf8')).to.equal(before)
    })
  }

  it('leaves the contexts of a project to the project', async () => {
    await writeFile(sandbox.path('.atomctl.yaml'), 'contexts:\n  shared:\n    registry_url: http://s.example\n')
    expect((await context(['use', 'shared'])).code).to.equal(0)
    const {code, stderr} = await context(['delete', 'shared'])
    expect(code).to.equal(7)
    expect(stderr).to.contain('.atomctl.yaml')
  })
})
