import {readdir} from 'node:fs/promises'
import {
  cutChunks,
  type FaultServer,
  flood,
  hang,
  hangUp,
  redirect,
  refusedUrl,
  reply,
  reset,
  startFaultServer,
  truncate as cutShort,
} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey, writeSignedPackage} from '../support/packages.ts'

const EXECUTION = '00000000-0000-4000-8000-000000000000'

/** Every command that talks to a service, with arguments that are fine. */
const COMMANDS: [string, string[]][] = [
  ['list', ['list']],
  ['inspect', ['inspect', 'hello-1.0.0']],
  ['pull', ['pull', 'hello-1.0.0']],
  ['diff', ['diff', 'hello-1.0.0', 'other-1.0.0']],
  ['delete', ['delete', 'hello-1.0.0', '--yes']],
  ['push', ['push', 'hello.wpk.yaml']],
  ['run ID', ['run', 'hello-1.0.0']],
  ['run FILE', ['run', 'hello.wpk.yaml']],
  ['status', ['status', EXECUTION]],
  ['logs', ['logs', EXECUTION]],
  ['executions', ['executions']],
  ['cancel', ['cancel', EXECUTION]],
  ['rollback', ['rollback', EXECUTION]],
]

describe('a service that', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await writeSignedPackage(sandbox)
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const against = (url: string, args: string[]): Promise<RunResult> =>
    sandbox.atomctl(args, {
      env: {
        ATOMCTL_REGISTRY_URL: url,
        ATOMCTL_RUNTIME_URL: url,
        ATOMCTL_AUTH_TOKEN: 'canary-token-93c1',
        ATOMCTL_CONNECT_TIMEOUT: '1s',
        ATOMCTL_REQUEST_TIMEOUT: '2s',
        ATOMCTL_RETRY_ATTEMPTS: '1',
      },
    })

  // [what it does, how, the exit codes that say it right]
  const faults: [string, () => Promise<FaultServer>, number[]][] = [
    ['never answers', () => startFaultServer(hang), [9]],
    ['resets the connection', () => startFaultServer(reset), [9]],
    ['hangs up', () => startFaultServer(hangUp), [9]],
    ['closes half-way', () => startFaultServer(cutShort('{"workflows": [', 4096)), [9]],
    ['cuts a chunked answer', () => startFaultServer(cutChunks('{"workflows": [')), [9]],
    ['answers 503', () => startFaultServer(reply(503, 'Service Unavailable')), [9]],
    ['crashes', () => startFaultServer(reply(500, 'Internal Server Error')), [9]],
    ['wants another token', () => startFaultServer(reply(401, {detail: 'Invalid authentication token'})), [4]],
    [
      'answers a page for people',
      () => startFaultServer(reply(200, '<html>Log in</html>', {'content-type': 'text/html'})),
      [9],
    ],
    ['answers another shape', () => startFaultServer(reply(200, {workflows: 7, execution_id: [], id: 3})), [9]],
    ['redirects elsewhere', () => startFaultServer(redirect('http://127.0.0.1:9/elsewhere')), [6, 9]],
    ['floods', () => startFaultServer(flood), [9]],
  ]

  for (const [fault, start, codes] of faults) {
    it(`${fault} is told apart from success by every command`, async () => {
      await inTurns(COMMANDS, async ([name, args]) => {
        const server = await start()
        try {
          const {code, stdout, stderr} = await against(server.url, args)
          // an original runtime cannot list, cancel or roll back, and what cannot be discovered is taken for one
          const allowed = ['executions', 'cancel', 'rollback'].includes(name) ? [...codes, 1] : codes
          expect(code, `${name}: ${stdout}${stderr}`).to.be.oneOf(allowed)
          expect(stdout, name).to.equal('')
          expect(stderr, name).to.match(/^\[ERROR\] .{10,}/m)
          expect(stderr, name).not.to.contain('canary-token')
        } finally {
          await server.close()
        }
      })
      expect(await leftovers(sandbox), 'files left behind').to.deep.equal([])
    })
  }

  it('is not there is an error that names what to check, in text and in json', async () => {
    const url = await refusedUrl()
    await inTurns(COMMANDS, async ([name, args]) => {
      const text = await against(url, args)
      expect(text.code, name).to.equal(9)
      expect(text.stderr, name).to.match(/^\[ERROR\] Network error: Connection refused$/m)
      const json = await against(url, [...args, '--json'])
      expect(json.code, name).to.equal(9)
      expect(JSON.parse(json.stdout), name).to.have.nested.property('error.code', 'UNAVAILABLE')
    })
  })
})

/** Does something with every item, three at a time. */
async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const rest = [...items]
  const turn = async (): Promise<void> => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item)
  }
  await Promise.all([turn(), turn(), turn()])
}

/** Whatever a command may have left in its working directory. */
async function leftovers(sandbox: Sandbox): Promise<string[]> {
  const known = new Set(['hello.wpk.yaml', 'cosign.key', 'cosign.pub'])
  return (await readdir(sandbox.home)).filter(
    (name) => !known.has(name) && !['.atomctl', '.cache', '.config', '.local'].includes(name),
  )
}
