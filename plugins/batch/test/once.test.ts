import {once} from 'node:events'
import {createServer, type IncomingMessage, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {startAtomDouble} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {createSandbox, finished, type RunResult, type Sandbox} from '../../../test/support/atomctl.ts'
import {packageText, trustOwnKey} from '../../../test/support/packages.ts'
import {startServices, stopServices} from '../../../test/support/services.ts'

interface Report {
  items: {status: string; note?: string; error?: {code: string; exit: number; hint?: string}}[]
  totals: Record<string, number>
}

const reportOf = ({stdout}: RunResult): Report => (JSON.parse(stdout) as {data: Report}).data

describe('batch run, of executions that must not start twice', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await mkdir(sandbox.path('runbooks'))
    for (const name of ['a', 'b', 'c']) {
      const text = packageText({name, command: `echo ${name} >> "${sandbox.path('notes')}"`})
      await writeFile(sandbox.path('runbooks', `${name}.wpk.yaml`), text)
    }
    expect((await sandbox.atomctl(['batch', 'sign', 'runbooks'])).code).to.equal(0)
  })
  afterEach(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  const run = (url: string, token: string, ...more: string[]) =>
    [
      ['batch', 'run', 'runbooks', '-c', '1', '-o', 'json', ...more],
      {env: {ATOMCTL_RUNTIME_URL: url, ATOMCTL_AUTH_TOKEN: token}},
    ] as const

  /** Kills the batch when the runtime has taken its second package and the batch has not heard of it. */
  async function killBetween(proxy: Proxy, ...arguments_: Parameters<Sandbox['spawn']>): Promise<void> {
    const child = sandbox.spawn(...arguments_)
    const end = finished(child)
    await Promise.race([proxy.held, end])
    child.kill('SIGKILL')
    const {signal, stdout} = await end
    expect(signal, stdout).to.equal('SIGKILL')
  }

  for (const wait of [[], ['--wait']]) {
    it(`killed between asking and hearing, starts nothing twice when it is resumed ${wait.join('')}`, async () => {
      await startServices(sandbox)
      const {runtimeUrl, token} = await contextOf(sandbox)
      await using proxy = await startProxy(runtimeUrl)
      await killBetween(proxy, ...run(proxy.url, token, ...wait))
      const resumed = await sandbox.atomctl(...run(proxy.url, token, ...wait, '--resume'))
      expect(resumed.code, resumed.stdout).to.equal(0)
      expect(reportOf(resumed).totals).to.include({items: 3, ok: 2, skipped: 1})
      const listed = await sandbox.atomctl(['executions', '-o', 'name'])
      expect(listed.stdout.trim().split('\n')).to.have.length(3)
      for (const id of listed.stdout.trim().split('\n')) await sandbox.atomctl(['status', id, '--watch'])
      const notes = await readFile(sandbox.path('notes'), 'utf8')
      expect(notes.trim().split('\n').toSorted()).to.deep.equal(['a', 'b', 'c'])
    })
  }

  it('does not guess where the runtime knows no repetition, and goes on with the others', async () => {
    const double = await startAtomDouble()
    try {
      await using proxy = await startProxy(double.runtimeUrl)
      await killBetween(proxy, ...run(proxy.url, 'any'))
      const resumed = await sandbox.atomctl(...run(proxy.url, 'any', '--resume'))
      expect(resumed.code).to.equal(7)
      expect(reportOf(resumed).items.map(({status, error}) => error?.code ?? status)).to.deep.equal([
        'skipped',
        'CONFLICT',
        'ok',
      ])
      const started = double.requests.filter(({method, url}) => method === 'POST' && url === '/execute')
      expect(started).to.have.length(3)
    } finally {
      await double.close()
    }
  })

  describe('with one that waits for approval', () => {
    const batch = (...more: string[]): Promise<RunResult> =>
      sandbox.atomctl(['batch', 'run', 'runbooks', ...more, '-o', 'json'])
    const idOf = ({stdout}: RunResult): string => /"note": "waiting: ([^"]+)"/.exec(stdout)?.[1] ?? ''
    beforeEach(async () => {
      const text = packageText({name: 'b', command: `echo b >> "${sandbox.path('notes')}"`})
      const guarded = text.replace('mode: manual', 'mode: manual\n    approval_required: true')
      await writeFile(sandbox.path('runbooks', 'b.wpk.yaml'), guarded)
      expect((await sandbox.atomctl(['sign', 'runbooks/b.wpk.yaml'])).code).to.equal(0)
      await startServices(sandbox)
    })

    it('says that it waits, exits with 8, and sees on --resume that it was approved', async () => {
      const table = await sandbox.atomctl(['batch', 'run', 'runbooks', '--state', 'table-state'])
      expect(table.code, table.stderr).to.equal(8)
      expect(table.stdout).to.match(/^waiting {2}runbooks\/b\.wpk\.yaml/m)
      expect(table.stdout).to.contain('2 ok, 0 failed, 1 waiting for approval').and.to.contain('hint: atomctl approve ')

      const first = await batch()
      expect(first.code).to.equal(8)
      const {items, totals} = reportOf(first)
      expect(items.map(({status}) => status)).to.deep.equal(['ok', 'waiting', 'ok'])
      expect(totals).to.include({ok: 2, failed: 0, waiting: 1})
      expect(items[1]?.error).to.include({code: 'APPROVAL_PENDING', hint: `atomctl approve ${idOf(first)}`})

      const still = await batch('--resume')
      expect(still.code).to.equal(8)
      expect(idOf(still)).to.equal(idOf(first))
      const approved = await sandbox.atomctl(['approve', idOf(first)])
      expect(approved.code, approved.stderr).to.equal(0)
      const done = await batch('--resume')
      expect(done.code, done.stdout).to.equal(0)
      expect(reportOf(done).totals).to.include({ok: 1, skipped: 2, waiting: 0})
      expect(reportOf(await batch('--resume')).totals).to.include({skipped: 3})
    })

    it('names the gravest when another one fails, and tells in JUnit and Markdown that it waits', async () => {
      await writeFile(sandbox.path('runbooks', 'c.wpk.yaml'), packageText({name: 'c'}))
      const result = await batch()
      expect(result.code).to.equal(10)
      expect(result.stdout).to.contain('1 of 3 packages failed, 1 wait for approval')
      const formats = {junit: /<skipped message="[^"]*waits for approval/, markdown: /\| APPROVAL.PENDING \|/}
      for (const [format, text] of Object.entries(formats)) {
        const {code, stdout} = await sandbox.atomctl(['batch', 'run', 'runbooks', '--resume', '-o', format])
        expect(code).to.equal(10)
        expect(stdout).to.match(text)
      }
    })

    it('fails with 22 when it was rejected meanwhile, and asks anew after that', async () => {
      const first = await batch()
      await sandbox.atomctl(['reject', idOf(first), '--reason', 'not today'])
      const rejected = await batch('--resume')
      expect(rejected.code, rejected.stdout).to.equal(22)
      const anew = await batch('--resume')
      expect(anew.code).to.equal(8)
      expect(idOf(anew)).not.to.equal(idOf(first))
    })

    it('says with --wait for whom it waits', async () => {
      const child = sandbox.spawn(['batch', 'run', 'runbooks', '--wait'])
      const end = finished(child)
      const id = await new Promise<string>((resolve) => {
        let told = ''
        child.stderr.on('data', (chunk: string) => {
          told += chunk
          const found = /^runbooks\/b\.wpk\.yaml … waits for approval .*atomctl approve (\S+)/m.exec(told)?.[1]
          if (found !== undefined) resolve(found)
        })
      })
      expect((await sandbox.atomctl(['approve', id])).code).to.equal(0)
      const {code, stdout} = await end
      expect(code, stdout).to.equal(0)
      expect(stdout).to.contain('3 ok, 0 failed in')
    })
  })
})

async function contextOf(sandbox: Sandbox): Promise<{runtimeUrl: string; token: string}> {
  const text = await readFile(sandbox.path('.atomctl', 'config.yaml'), 'utf8')
  return {
    runtimeUrl: /runtime_url: "?([^"\s]+)/.exec(text)?.[1] ?? '',
    token: /auth_token: "?([\w-]+)/.exec(text)?.[1] ?? '',
  }
}

interface Proxy extends AsyncDisposable {
  readonly url: string
  /** The second request for an execution has reached the service, whose answer stays here. */
  readonly held: Promise<void>
}

/** Passes everything on to a service, except the answer to the second execution that is asked for. */
async function startProxy(target: string): Promise<Proxy> {
  const {promise: held, resolve} = Promise.withResolvers<void>()
  let asked = 0
  const pass = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const {host: _, connection: __, ...headers} = request.headers as Record<string, string>
    const body = chunks.length === 0 ? {} : {body: Buffer.concat(chunks)}
    const answer = await fetch(new URL(request.url ?? '', target), {method: request.method ?? '', headers, ...body})
    const text = Buffer.from(await answer.arrayBuffer())
    if (request.method === 'POST' && request.url === '/execute' && ++asked === 2) return resolve()
    const type = answer.headers.get('content-type') ?? ''
    response.writeHead(answer.status, {'content-type': type, 'content-length': text.length}).end(text)
  }
  const server = createServer((request, response) => void pass(request, response).catch(() => response.destroy()))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    held,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
