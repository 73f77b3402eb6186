import {once} from 'node:events'
import {writeFile} from 'node:fs/promises'
import {createServer, type IncomingMessage} from 'node:http'
import type {AddressInfo} from 'node:net'
import {expect} from 'chai'
import {createSandbox, filesOf, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {identityToken, type LoopbackSigstore, startSigstore} from './sigstore/index.ts'

/** Nobody listens there. */
const NOWHERE = 'http://127.0.0.1:9'
const SECRET = 'eyJzZWNyZXQiOiJ0b3Atc2VjcmV0In0'

describe('the identity token of keyless signing', function () {
  this.timeout(60_000)
  let sigstore: LoopbackSigstore
  let sandbox: Sandbox
  before(async () => {
    sigstore = await startSigstore()
  })
  after(() => sigstore[Symbol.asyncDispose]())
  beforeEach(async () => {
    sandbox = await createSandbox()
    await writeFile(sandbox.path('blob.bin'), 'some bytes')
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const sign = (flags: readonly string[], env: Record<string, string> = {}, input?: string): Promise<RunResult> => {
    const services = ['--fulcio-url', '--rekor-url'].flatMap((flag) =>
      flags.includes(flag) ? [] : [flag, sigstore.url],
    )
    return sandbox.atomctl(['sign', 'blob.bin', '--detached', '--keyless', ...services, ...flags], {
      env,
      ...(input === undefined ? {} : {input}),
    })
  }
  const expectSigned = async ({code, stdout, stderr}: RunResult): Promise<void> => {
    expect(code, stderr).to.equal(0)
    expect(stdout).to.contain('Signed By: https://github.com/acme/flows/')
    expect(await filesOf(sandbox)).to.include('blob.bin.sigstore.json')
  }

  it('comes from a file', async () => {
    await writeFile(sandbox.path('token.jwt'), `${identityToken()}\n`)
    await expectSigned(await sign(['--identity-token', '@token.jwt']))
  })

  it('comes from standard input', async () => {
    await expectSigned(await sign(['--identity-token', '-'], {}, `${identityToken()}\n`))
  })

  it('comes from SIGSTORE_ID_TOKEN, as GitLab sets it', async () => {
    await expectSigned(await sign([], {SIGSTORE_ID_TOKEN: identityToken()}))
  })

  it('comes from GitHub Actions, which is asked for the audience sigstore with the token of the job', async () => {
    const asked: IncomingMessage[] = []
    const server = createServer((request, response) => {
      asked.push(request)
      response.setHeader('content-type', 'application/json').end(JSON.stringify({value: identityToken()}))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token?api-version=2.0`
    try {
      await expectSigned(
        await sign([], {ACTIONS_ID_TOKEN_REQUEST_URL: url, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'job-token'}),
      )
    } finally {
      server.close()
    }
    expect(asked[0]?.url).to.equal('/token?api-version=2.0&audience=sigstore')
    expect(asked[0]?.headers.authorization).to.equal('Bearer job-token')
  })

  const broken: [string, () => string, RegExp][] = [
    ['is no JWT', () => SECRET, /is not a JWT/],
    ['has a payload that is no JSON', () => `e30.${SECRET.slice(0, -3)}.c2ln`, /is not a JWT/],
    ['has a payload that is a list', () => `e30.${Buffer.from('["x"]').toString('base64url')}.c2ln`, /names nobody/],
    ['holds blanks', () => `${identityToken()} ${SECRET}`, /is not a JWT/],
    ['has expired', () => identityToken({exp: 1_700_000_000}), /expired at 2023/],
    ['names nobody', () => identityToken({sub: ''}), /names nobody/],
    ['has an address nobody verified', () => identityToken({email: 'a@example.com'}), /nobody verified/],
  ]
  for (const [what, token, message] of broken) {
    it(`is refused and never shown when it ${what}`, async () => {
      const text = token()
      const {code, stdout, stderr} = await sign(['--identity-token', '-', '--debug'], {}, text)
      expect(code, stderr).to.equal(4)
      expect(stderr).to.match(message)
      for (const part of text.split('.')) if (part.length > 4) expect(stdout + stderr).not.to.contain(part)
      expect(await filesOf(sandbox)).not.to.include('blob.bin.sigstore.json')
    })
  }

  it('is asked for when there is none', async () => {
    const {code, stderr} = await sign([])
    expect(code).to.equal(4)
    expect(stderr).to.contain('--identity-token')
  })

  it('is not shown when Fulcio refuses it and quotes it', async () => {
    const token = identityToken()
    const server = createServer((_, response) => {
      response.writeHead(400, {'content-type': 'application/json'})
      response.end(JSON.stringify({code: 3, message: `bad token ${token}`}))
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      const {code, stdout, stderr} = await sign(['--fulcio-url', url, '--identity-token', token, '--debug'])
      expect(code, stderr).to.equal(4)
      expect(stderr).to.contain('bad token ***')
      expect(stdout + stderr).not.to.contain(token.split('.')[1])
    } finally {
      server.close()
    }
  })

  for (const flag of ['--fulcio-url', '--rekor-url'] as const) {
    it(`does not help when the service of ${flag} does not answer: exit 9, nothing written`, async () => {
      const {code, stderr} = await sign([flag, NOWHERE, '--identity-token', identityToken()])
      expect(code, stderr).to.equal(9)
      expect(stderr).to.contain(NOWHERE)
      expect(await filesOf(sandbox)).not.to.include('blob.bin.sigstore.json')
    })
  }

  const usages: [string, string[], RegExp][] = [
    ['a Sigstore', [], /which Sigstore/],
    ['a log or a clock', ['--fulcio-url', NOWHERE], /never be verified/],
    ['URLs that are URLs', ['--fulcio-url', 'fulcio', '--tsa-url', NOWHERE], /not an http or https URL/],
    ['a signing config that exists', ['--signing-config', 'none.json'], /none\.json/],
  ]
  for (const [what, flags, message] of usages) {
    it(`is not read before the command line names ${what}`, async () => {
      const {code, stderr} = await sandbox.atomctl(['sign', 'blob.bin', '--detached', '--keyless', ...flags])
      expect(code).to.equal(2)
      expect(stderr).to.match(message)
    })
  }
})
