import {chmod, mkdir, writeFile} from 'node:fs/promises'
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {type AtomDouble, startAtomDouble} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey} from '../support/packages.ts'

interface Case {
  /** What is wrong; the title. */
  wrong: string
  arrange(sandbox: Sandbox): Promise<Record<string, string> | void>
  check: string
  status?: 'warn' | 'fail'
  message: RegExp
  fix: RegExp
  where?: RegExp
}

const POLICY = 'apiVersion: atomctl.dev/trust-policy/v1\nkind: TrustPolicy\n'
const rule = (name: string): string => `  - name: ${name}\n    scope: {packages: ["*"]}\n    signers: [{keys: [own]}]\n`

async function writeHome(sandbox: Sandbox, file: string, text: string): Promise<void> {
  await mkdir(sandbox.path('.atomctl'), {recursive: true})
  await writeFile(sandbox.path('.atomctl', file), text, {mode: 0o600})
}

const configured = (text: string) => (sandbox: Sandbox) => writeHome(sandbox, 'config.yaml', text)

/** The sandbox's own key, trusted in a policy with these words. */
const policy = (rest: string) => async (sandbox: Sandbox) => {
  await sandbox.atomctl(['keys', 'generate', '--no-trust'])
  await writeHome(sandbox, 'trust-policy.yaml', POLICY + rest)
}

const CASES: Case[] = [
  {
    wrong: 'a configuration file that is no YAML',
    arrange: configured('registry_url: ['),
    check: 'configuration',
    message: /config\.yaml:\d+:\d+/,
    fix: /\S/,
  },
  {
    wrong: 'a setting that does not exist',
    arrange: configured('registry_ulr: http://localhost:1\n'),
    check: 'configuration',
    message: /config\.yaml:1:\d+.*registry_ulr|registry_ulr.*config\.yaml:1/,
    fix: /\S/,
  },
  {
    wrong: 'a current context that no file defines',
    arrange: configured('current_context: prodd\n'),
    check: 'context',
    message: /"prodd"/,
    fix: /^atomctl context list$/,
    where: /config\.yaml:1:/,
  },
  {
    wrong: 'a URL without scheme',
    arrange: async () => ({ATOMCTL_REGISTRY_URL: 'registry.example.com'}),
    check: 'registry_url',
    message: /registry\.example\.com/,
    fix: /\S/,
    where: /^ATOMCTL_REGISTRY_URL$/,
  },
  {
    wrong: 'a signing key that is named and missing',
    arrange: configured('signing_key: team.key\n'),
    check: 'signing key',
    message: /team\.key does not exist$/,
    fix: /atomctl keys generate/,
    where: /config\.yaml:1:/,
  },
  {
    wrong: 'a signing key that is no private key',
    arrange: (sandbox) => writeFile(sandbox.path('cosign.key'), 'no key'),
    check: 'signing key',
    message: /cosign\.key is not an encrypted private key/,
    fix: /^atomctl keys import cosign\.key$/,
  },
  {
    wrong: 'a password in the environment that does not open the key',
    arrange: async (sandbox) => {
      await trustOwnKey(sandbox)
      return {COSIGN_PASSWORD: 'battery staple'}
    },
    check: 'signing key',
    message: /password/i,
    fix: /\S/,
  },
  {
    wrong: 'no trust policy at all',
    arrange: async () => {},
    check: 'trust policy',
    status: 'warn',
    message: /no signature is trusted/,
    fix: /^atomctl keys generate --trust$/,
  },
  {
    wrong: 'a trust policy that is named and missing',
    arrange: configured('trust_policy: policies/prod.yaml\n'),
    check: 'trust policy',
    message: /prod\.yaml does not exist$/,
    fix: /\S/,
    where: /prod\.yaml$/,
  },
  {
    wrong: 'a word in the trust policy that means nothing',
    arrange: policy('defualt: {level: strict}\n'),
    check: 'trust policy',
    message: /defualt/,
    fix: /\S/,
    where: /trust-policy\.yaml:3:\d+$/,
  },
  {
    wrong: 'a trusted key whose file is missing',
    arrange: policy('keys:\n  own: {file: gone.pub}\n'),
    check: 'trust policy',
    message: /key own cannot be used: .*gone\.pub does not exist/,
    fix: /trust-policy check/,
    where: /trust-policy\.yaml:4:/,
  },
  {
    wrong: 'a trusted key that is revoked',
    arrange: policy(`keys:\n  own: {file: ../cosign.pub, revoked: true}\nrules:\n${rule('all')}`),
    check: 'trust policy',
    status: 'warn',
    message: /key own is revoked/,
    fix: /trust-policy check/,
    where: /trust-policy\.yaml:4:/,
  },
  {
    wrong: 'a trusted key that has expired',
    arrange: policy(`keys:\n  own: {file: ../cosign.pub, notAfter: "2020-01-01T00:00:00Z"}\nrules:\n${rule('all')}`),
    check: 'trust policy',
    status: 'warn',
    message: /key own expired at 2020-01-01/,
    fix: /trust-policy check/,
    where: /trust-policy\.yaml:4:/,
  },
  {
    wrong: 'two rules that tie for a package',
    arrange: policy(`keys:\n  own: {file: ../cosign.pub}\nrules:\n${rule('first')}${rule('second')}`),
    check: 'trust policy',
    message: /first and second are equally specific/,
    fix: /narrower/,
    where: /trust-policy\.yaml:10:/,
  },
  {
    wrong: 'a trust policy that checks nothing',
    arrange: policy('default: {level: skip}\n'),
    check: 'trust policy',
    status: 'warn',
    message: /\S/,
    fix: /\S/,
    where: /trust-policy\.yaml:3:/,
  },
  {
    wrong: 'TLS certificates that are not checked',
    arrange: async () => ({NODE_TLS_REJECT_UNAUTHORIZED: '0'}),
    check: 'environment',
    message: /certificates are not checked/,
    fix: /^unset NODE_TLS_REJECT_UNAUTHORIZED/,
    where: /^NODE_TLS_REJECT_UNAUTHORIZED$/,
  },
  {
    wrong: 'a file of extra certificates that is missing',
    arrange: async () => ({NODE_EXTRA_CA_CERTS: '/nowhere/ca.pem'}),
    check: 'environment',
    message: /\/nowhere\/ca\.pem/,
    fix: /^unset NODE_EXTRA_CA_CERTS/,
    where: /^NODE_EXTRA_CA_CERTS$/,
  },
  {
    wrong: 'a proxy that is no URL',
    arrange: async () => ({HTTPS_PROXY: 'user:secret@proxy'}),
    check: 'environment',
    message: /^HTTPS_PROXY is not a URL of a proxy$/,
    fix: /^export HTTPS_PROXY=http:/,
  },
  {
    wrong: 'a locale that is not UTF-8',
    arrange: async () => ({LANG: 'de_DE.ISO-8859-1'}),
    check: 'environment',
    status: 'warn',
    message: /de_DE\.ISO-8859-1 is not UTF-8/,
    fix: /^export LANG=C\.UTF-8$/,
    where: /^LANG$/,
  },
  {
    wrong: 'another atomctl that comes first in PATH',
    arrange: async (sandbox) => {
      await mkdir(sandbox.path('bin'))
      await writeFile(sandbox.path('bin/atomctl'), '#!/bin/sh\n')
      await chmod(sandbox.path('bin/atomctl'), 0o755)
      return {PATH: `${sandbox.path('bin')}:${process.env['PATH']}`}
    },
    check: 'path',
    status: 'warn',
    message: /bin\/atomctl, which is not this one/,
    fix: /^rm /,
    where: /bin\/atomctl$/,
  },
  {
    wrong: 'a home that is no directory',
    arrange: (sandbox) => writeFile(sandbox.path('.atomctl'), ''),
    check: 'home',
    message: /\.atomctl is no directory that can be written \(ENOTDIR\)$/,
    fix: /^ls -ld /,
  },
]

interface Found {
  check: string
  status: string
  message: string
  where?: string
  fix?: string
}

describe('doctor finds and explains', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  let services: AtomDouble
  before(async () => {
    services = await startAtomDouble()
  })
  after(() => services.close())
  beforeEach(async () => {
    sandbox = await createSandbox()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  async function doctor(
    env: Record<string, string> = {},
  ): Promise<{code: number | null; found: Found[]; text: string}> {
    const urls = {ATOMCTL_REGISTRY_URL: services.registryUrl, ATOMCTL_RUNTIME_URL: services.runtimeUrl}
    const {code, stdout} = await sandbox.atomctl(['doctor', '-o', 'json'], {env: {...urls, ...env}})
    return {code, found: (JSON.parse(stdout) as {data: Found[]}).data, text: stdout}
  }

  for (const {wrong, arrange, check, status = 'fail', message, fix, where} of CASES) {
    it(wrong, async function () {
      if (process.platform === 'win32' && check === 'path') this.skip() // there it is atomctl.cmd
      const {code, found, text} = await doctor((await arrange(sandbox)) ?? {})
      const finding = found.find((result) => result.check === check && result.status === status)
      expect(finding, text).to.not.equal(undefined)
      expect(finding?.message).to.match(message)
      expect(finding?.fix).to.match(fix)
      if (where) expect(finding?.where).to.match(where)
      expect(code).to.equal(status === 'fail' ? 1 : 0)
      expect(text).not.to.contain('secret@')
    })
  }

  const health = JSON.stringify({status: 'healthy'})
  const servers: [wrong: string, check: string, message: RegExp, answer: (path: string) => [number, string]][] = [
    ['a web page where the registry should be', 'registry', /registry/i, () => [200, '<html></html>']],
    [
      'a runtime where the registry should be',
      'registry',
      /The registry URL leads to a runtime/,
      (path) => [
        200,
        path === '/health'
          ? health
          : JSON.stringify({service: 'runtime', version: '1.0.0', protocol: 'v1', capabilities: []}),
      ],
    ],
    [
      'a token that the registry refuses',
      'registry login',
      /401/,
      (path) => (path === '/health' ? [200, health] : [path.startsWith('/.well') ? 404 : 401, '{"detail":"no"}']),
    ],
  ]
  for (const [wrong, check, message, answer] of servers) {
    it(wrong, async () => {
      await using server = await listen((request, response) => {
        const [status, body] = answer(request.url ?? '')
        const type = body.startsWith('{') ? 'application/json' : 'text/html'
        response.writeHead(status, {'content-type': type}).end(body)
      })
      const {code, found, text} = await doctor({ATOMCTL_REGISTRY_URL: server.url, ATOMCTL_RETRY_ATTEMPTS: '1'})
      const finding = found.find((result) => result.check === check && result.status === 'fail')
      expect(finding?.message, text).to.match(message)
      expect(finding?.fix).to.match(/atomctl/)
      expect(code).to.equal(1)
    })
  }
})

async function listen(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<AsyncDisposable & {url: string}> {
  const server: Server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const {port} = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return {url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: close}
}
