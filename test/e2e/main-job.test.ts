import {mkdir, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {createServer, type Server} from 'node:http'
import type {AddressInfo} from 'node:net'
import {expect} from 'chai'
import {createSandbox, finished, type Sandbox} from '../support/atomctl.ts'
import {tamper, trustOwnKey, writePackage, writeSignedPackage} from '../support/packages.ts'
import {startServices, stopServices} from '../support/services.ts'

// The whole job on the embedded services: the real binary, the real registry and runtime, nothing stands in.
describe('the main job', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  let target: Server
  let hits: string[]

  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await startServices(sandbox)
    hits = []
    target = createServer((request, response) => {
      hits.push(`${request.method} ${request.url}`)
      response.writeHead(request.url === '/healthy' ? 200 : 500).end('{"version": "7"}')
    })
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  })
  after(async () => {
    await stopServices(sandbox)
    target.close()
    await sandbox[Symbol.asyncDispose]()
  })

  const targetUrl = (): string => `http://127.0.0.1:${(target.address() as AddressInfo).port}`

  it('validates, signs, pushes, lists, runs and shows a package that does real work', async () => {
    const handlers = `    - name: write
      type: shell
      config:
        command: 'echo "$GREETING" > "$TARGET" && echo written'
      timeout: "10s"
    - name: check
      type: api
      config:
        url: "${targetUrl()}/healthy"
        method: GET
        expected_status: 200
      timeout: "10s"`
    const file = await writeSignedPackage(sandbox, {name: 'worker', handlers})
    expect((await sandbox.atomctl(['validate', file])).code).to.equal(0)
    expect((await sandbox.atomctl(['push', file])).stdout).to.contain('Workflow ID: worker-1.0.0')
    expect((await sandbox.atomctl(['list', '-o', 'name'])).stdout).to.contain('worker-1.0.0\n')
    const output = sandbox.path('greeting.txt')
    const parameters = JSON.stringify({greeting: `it's $(touch ${sandbox.path('pwned')}); "hi"`, target: output})
    const run = await sandbox.atomctl(['run', 'worker-1.0.0', '--parameters', parameters, '--wait'])
    expect(run.code, run.stderr).to.equal(0)
    expect(run.stdout)
      .to.match(/^\[SUCCESS\] Execution started$/m)
      .and.to.match(/^\[SUCCESS\] Execution completed successfully$/m)
    expect(run.stderr).to.contain('✓ write completed').and.to.contain('  written')
    expect(await readFile(output, 'utf8')).to.equal(`it's $(touch ${sandbox.path('pwned')}); "hi"\n`)
    expect(hits).to.deep.equal(['GET /healthy'])
    const id = /Execution ID: (\S+)/.exec(run.stdout)?.[1] ?? ''
    expect((await sandbox.atomctl(['status', id])).stdout)
      .to.contain('Status: completed')
      .and.to.contain('Progress: 2/2')
    expect((await sandbox.atomctl(['logs', id])).stdout).to.contain('[write] written')
    expect((await sandbox.atomctl(['executions', '-q'])).stdout).to.contain(id)
  })

  it('refuses the unsigned and the tampered, at push and at run, with nothing done', async () => {
    const unsigned = await writePackage(sandbox, {name: 'unsigned'})
    const tampered = await writeSignedPackage(sandbox, {name: 'tampered'})
    await tamper(sandbox, tampered)
    for (const [file, code] of [
      [unsigned, 10],
      [tampered, 11],
    ] as const) {
      for (const command of ['push', 'run']) {
        const result = await sandbox.atomctl([command, file])
        expect({code: result.code, stdout: result.stdout}, `${command} ${file}`).to.deep.equal({code, stdout: ''})
      }
    }
    expect((await sandbox.atomctl(['list', '-o', 'name'])).stdout).not.to.match(/unsigned|tampered/)
  })

  it('keeps a version immutable: the same bytes are no change, other bytes are refused', async () => {
    const file = await writeSignedPackage(sandbox, {name: 'immutable'})
    expect((await sandbox.atomctl(['push', file])).code).to.equal(0)
    const again = await sandbox.atomctl(['push', file])
    expect(again.code).to.equal(0)
    expect(again.stdout).to.contain('already registered')
    await writeSignedPackage(sandbox, {name: 'immutable', command: 'echo other'})
    const other = await sandbox.atomctl(['push', file])
    expect(other.code).to.equal(7)
    expect(other.stderr).to.contain('[ERROR]')
  })

  it('ends a failed run with exit 20 and a cancelled one with 21', async () => {
    const failing = await writeSignedPackage(sandbox, {name: 'failing', command: 'echo oops >&2; exit 3'})
    const failed = await sandbox.atomctl(['run', failing, '--wait'])
    expect(failed.code).to.equal(20)
    expect(failed.stderr).to.contain('[ERROR] Execution failed: Handler greet failed')
    const slow = await writeSignedPackage(sandbox, {name: 'slow', command: 'echo started; sleep 60'})
    const child = sandbox.spawn(['run', slow, '--wait'])
    const ended = finished(child)
    await seen(child.stderr, 'started')
    const id = (await sandbox.atomctl(['executions', '--status', 'running', '-q'])).stdout.trim()
    expect((await sandbox.atomctl(['cancel', id])).code).to.equal(0)
    expect((await ended).code).to.equal(21)
  })

  it('plans a dry run and does nothing', async () => {
    const marker = sandbox.path('dry-run-marker')
    const file = await writeSignedPackage(sandbox, {name: 'dry', command: `touch ${marker}`})
    const {code, stdout} = await sandbox.atomctl(['run', file, '--dry-run', '--wait'])
    expect(code).to.equal(0)
    expect(stdout).to.contain(`would run with /bin/sh: touch ${marker}`)
    expect(await readFile(marker).catch(() => 'nothing')).to.equal('nothing')
  })

  it('runs a file in its own process, on the same engine, and leaves nothing', async () => {
    const options = {env: {TMPDIR: sandbox.path('temporary')}}
    await mkdir(options.env.TMPDIR)
    const file = await writeSignedPackage(sandbox, {name: 'local', command: 'echo from this process'})
    const run = await sandbox.atomctl(['run', file, '--local'], options)
    expect(run.code, run.stderr).to.equal(0)
    expect(run.stderr).to.contain('from this process')
    const slow = await writeSignedPackage(sandbox, {name: 'local-slow', command: 'echo begun; sleep 60'})
    const child = sandbox.spawn(['run', slow, '--local'], options)
    const ended = finished(child)
    await seen(child.stderr, 'begun')
    child.kill('SIGINT')
    const interrupted = await ended
    expect(interrupted.code).to.equal(130)
    expect(interrupted.stderr).to.contain('was cancelled')
    const tooLong = await sandbox.atomctl(['run', slow, '--local', '--timeout', '500ms'], options)
    expect(tooLong.code).to.equal(124)
    expect(tooLong.stderr).to.contain('so it was stopped')
    expect(await readdir(options.env.TMPDIR)).to.deep.equal([])
  })

  it('brings the files of a package along and runs with them', async () => {
    const directory = sandbox.path('bundle')
    await rm(directory, {recursive: true, force: true})
    await mkdir(directory)
    await writePackage(sandbox, {name: 'bundle', command: 'sh ./script.sh'})
    await writeFile(`${directory}/bundle.wpk.yaml`, await readFile(sandbox.path('bundle.wpk.yaml')))
    await writeFile(`${directory}/script.sh`, 'echo from the script\n')
    const packed = await sandbox.atomctl(['pack', 'bundle', '--sign'])
    expect(packed.code, packed.stderr).to.equal(0)
    const pushed = await sandbox.atomctl(['push', 'bundle-1.0.0.wpk.tar.gz'])
    expect(pushed.code, pushed.stderr).to.equal(0)
    const run = await sandbox.atomctl(['run', 'bundle-1.0.0', '--wait'])
    expect(run.code, run.stderr).to.equal(0)
    expect(run.stderr).to.contain('from the script')
  })

  it('finishes a run that kill -9 interrupted, and repeats no completed step', async () => {
    const effects = sandbox.path('effects')
    const gate = sandbox.path('gate')
    const handlers = ['first', 'second', 'third']
      .map(
        (name) => `    - name: ${name}
      type: shell
      config:
        command: 'echo ${name} >> ${effects}; ${name === 'second' ? `until [ -e ${gate} ]; do sleep 0.05; done` : ':'}; echo end-${name} >> ${effects}'
      timeout: "60s"`,
      )
      .join('\n')
    const file = await writeSignedPackage(sandbox, {name: 'survivor', handlers})
    const id = (await sandbox.atomctl(['run', file, '-q'])).stdout.trim()
    await until(async () => (await readFile(effects, 'utf8').catch(() => '')).includes('second'))
    const {pid} = JSON.parse((await sandbox.atomctl(['dev', 'status', '-o', 'json'])).stdout).data as {pid: number}
    process.kill(pid, 'SIGKILL')
    await writeFile(gate, '')
    await startServices(sandbox)
    const {code, stdout} = await sandbox.atomctl(['status', id, '--watch', '--timeout', '30s'])
    expect(code, stdout).to.equal(0)
    const lines = (await readFile(effects, 'utf8')).trim().split('\n')
    expect(lines.filter((line) => line === 'first')).to.have.length(1)
    expect(lines.filter((line) => line === 'end-first')).to.have.length(1)
    expect(lines.at(-1)).to.equal('end-third')
  })
})

/** Resolves once a stream has carried this text. */
function seen(stream: NodeJS.ReadableStream, text: string): Promise<void> {
  let sofar = ''
  return new Promise((resolve) => {
    stream.on('data', (chunk: string | Buffer) => {
      sofar += String(chunk)
      if (sofar.includes(text)) resolve()
    })
  })
}

/** Asks again until the condition holds; mocha's time-out ends a wait for nothing. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}
