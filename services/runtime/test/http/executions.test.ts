import {existsSync, readFileSync} from 'node:fs'
import {expect} from 'chai'
import {shell} from '../support/packages.ts'
import {TestService} from '../support/service.ts'
import {eventually, STARTUP_MS} from '../support/waiting.ts'

describe('executing shell packages', () => {
  let service: TestService
  before(async function () {
    this.timeout(STARTUP_MS)
    service = await TestService.start()
  })
  after(() => service.stop())

  it('runs handlers in order and tells it the way the protocol does', async () => {
    const answer = await service.submit({handlers: [shell('first', 'echo one'), shell('second', 'echo two >&2')]})
    expect(answer.status).to.equal(200)
    expect(answer.body).to.include({status: 'started'})
    const execution = await service.ended(answer.body.execution_id)
    expect(execution).to.include({
      workflow_id: 'test-package-1.0.0',
      status: 'completed',
      current_step: 'second',
      steps_completed: 2,
      total_steps: 2,
      error_message: null,
      dry_run: false,
    })
    expect(execution.logs).to.deep.equal([
      '[first] one',
      'Handler first: success',
      '[second] two',
      'Handler second: success',
    ])
    expect(execution.steps?.map(({name, status, exit_code: code}) => [name, status, code])).to.deep.equal([
      ['first', 'completed', 0],
      ['second', 'completed', 0],
    ])
    expect(Date.parse(execution.completed_at ?? '')).to.be.at.least(Date.parse(execution.started_at ?? ''))
  })

  it('stops at the first handler that fails and names it', async () => {
    const execution = await service.run({
      handlers: [shell('good', 'true'), shell('bad', 'echo why >&2; exit 7'), shell('never', 'true')],
    })
    expect(execution).to.include({
      status: 'failed',
      current_step: 'bad',
      steps_completed: 1,
      total_steps: 3,
      error_message: 'Handler bad failed: exit code 7',
    })
    expect(execution.logs).to.include('Handler bad: error')
    expect(execution.steps?.map(({status}) => status)).to.deep.equal(['completed', 'failed', 'skipped'])
  })

  it('offers parameters as variables whose text never becomes code', async () => {
    const hostile = `$(touch ${service.path('injected')}) \`touch ${service.path('injected')}\`; "quoted" 'single'\nline two`
    const execution = await service.run(
      {handlers: [shell('show', 'printf "%s|" "$MESSAGE" "${COUNT}" "$LIST"')]},
      {parameters: {message: hostile, count: 3, list: ['a', {b: 1}]}},
    )
    expect(execution.status).to.equal('completed')
    const {entries} = await service.logs(execution.execution_id)
    const text = entries?.filter(({stream}) => stream === 'stdout').map((entry) => entry.text)
    expect(text?.join('\n')).to.equal(`${hostile}|3|["a",{"b":1}]|`)
    expect(existsSync(service.path('injected'))).to.equal(false)
  })

  it('gives commands nothing of its own environment but the allow-list', async () => {
    const {execution_id: id} = await service.run({handlers: [shell('env', 'env')]}, {parameters: {given: 'yes'}})
    const lines = (await service.logs(id)).logs.join('\n')
    expect(lines).to.contain('GIVEN=yes').and.to.contain(`HOME=${service.directory}`)
    expect(lines).to.not.contain('CANARY').and.to.not.contain('canary')
    expect(lines).to.contain(`ATOM_EXECUTION_ID=${id}`).and.to.contain(`ATOM_IDEMPOTENCY_KEY=${id}/handler/0`)
  })

  it('takes shell, cwd and env from the config', async () => {
    const config = {shell: 'bash', cwd: '/', env: {GREETING: 'hello ${NAME}'}}
    const execution = await service.run(
      {handlers: [shell('configured', 'echo "$GREETING in $PWD with ${BASH_VERSION:+bash}"', {config})]},
      {parameters: {name: 'Ann'}},
    )
    expect(execution.logs).to.include('[configured] hello Ann in / with bash')
  })

  it('knows no execution by an id, and lists none of a workflow, that no database can hold', async () => {
    for (const path of ['/execute/a%00', '/logs/a%00', '/execute/a%00/events', '/execute/a%00/steps'])
      expect((await service.request(path)).status, path).to.equal(404)
    const {status, body} = await service.request('/executions?workflow_id=a%00')
    expect([status, body.executions]).to.deep.equal([200, []])
  })

  it('ends a command at its timeout', async () => {
    const execution = await service.run({handlers: [shell('slow', 'sleep 30', {timeout: '300ms'})]})
    expect(execution.error_message).to.equal('Handler slow failed: timed out after 300 ms')
  })

  it('passes outputs on to later handlers', async () => {
    const execution = await service.run({
      handlers: [
        shell('make', 'echo "version=1.2=3" >> "$ATOM_OUTPUT"; echo "other=x" >> "$ATOM_OUTPUT"'),
        shell('use', 'echo "got $VERSION and $OTHER"'),
      ],
    })
    expect(execution.logs).to.include('[use] got 1.2=3 and x')
  })

  for (const [what, line] of [
    ['is no assignment', 'nonsense'],
    ['would replace PATH', 'path=/tmp'],
    ['would preload a library', 'LD_PRELOAD=/tmp/x.so'],
  ] as const)
    it(`fails a handler whose output ${what}`, async () => {
      const execution = await service.run({handlers: [shell('make', `echo "${line}" > "$ATOM_OUTPUT"`)]})
      expect(execution.status).to.equal('failed')
      expect(execution.error_message).to.contain('$ATOM_OUTPUT')
    })

  it('fails a handler that does not write an output it declares', async () => {
    const execution = await service.run({handlers: [shell('make', 'true', {outputs: {version: 'the version'}})]})
    expect(execution.error_message).to.contain('did not write version')
  })

  it('skips a handler whose condition does not hold', async () => {
    const execution = await service.run(
      {
        handlers: [
          shell('staging', 'echo staging', {when: "environment == 'staging'"}),
          shell('production', 'echo production', {when: "environment == 'production'"}),
        ],
      },
      {parameters: {environment: 'production'}},
    )
    expect(execution).to.include({status: 'completed', steps_completed: 2})
    expect(execution.steps?.map(({status}) => status)).to.deep.equal(['skipped', 'completed'])
  })

  it('tries again with the same idempotency key until it succeeds', async () => {
    const file = service.path('tries')
    const command = `echo "$ATOM_IDEMPOTENCY_KEY" >> "${file}"; [ "$(wc -l < "${file}")" -ge 3 ]`
    const retry = {max_attempts: 5, backoff: '20ms'}
    const execution = await service.run({handlers: [shell('flaky', command, {retry})]})
    expect(execution.status).to.equal('completed')
    expect(execution.steps?.[0]?.attempt).to.equal(3)
    expect(execution.logs).to.deep.equal([
      '[flaky] attempt 1 of 5 failed: exit code 1',
      '[flaky] attempt 2 of 5 failed: exit code 1',
      'Handler flaky: success',
    ])
    const keys = readFileSync(file, 'utf8').trim().split('\n')
    expect(new Set(keys).size).to.equal(1)
  })

  it('gives up after the last attempt', async () => {
    const retry = {max_attempts: 2, backoff: '10ms'}
    const execution = await service.run({handlers: [shell('bad', 'exit 1', {retry})]})
    expect(execution).to.include({status: 'failed', error_message: 'Handler bad failed: exit code 1'})
    expect(execution.steps?.[0]?.attempt).to.equal(2)
  })

  it('runs executions beside each other', async () => {
    const meet = (own: string, other: string): object =>
      shell('meet', `touch "${service.path(own)}"; until [ -e "${service.path(other)}" ]; do sleep 0.02; done`)
    const ids = await Promise.all([
      service.started({handlers: [meet('here', 'there')]}),
      service.started({handlers: [meet('there', 'here')]}),
    ])
    for (const id of ids) expect((await service.ended(id)).status).to.equal('completed')
  })

  it('removes the directory of an execution at its end', async () => {
    const execution = await service.run({handlers: [shell('where', 'pwd; touch left-over')]})
    const line = execution.logs?.find((text) => text.startsWith('[where]')) ?? ''
    const directory = line.slice('[where] '.length)
    expect(directory).to.contain(execution.execution_id)
    await eventually('it is removed', () => !existsSync(directory))
  })

  it('keeps 100 MB of output out of memory and out of the log', async function () {
    this.timeout(60_000)
    const loud = (megabytes: number) =>
      service.run({handlers: [shell('loud', `head -c ${megabytes}000000 /dev/zero; echo; echo end`)]})
    await loud(20)
    const before = process.memoryUsage().rss
    const execution = await loud(100)
    expect(execution.status).to.equal('completed')
    expect((process.memoryUsage().rss - before) / 1e6).to.be.lessThan(80)
    const {logs} = await service.logs(execution.execution_id)
    expect(Buffer.byteLength(logs.join(''))).to.be.lessThan(4_000_000)
    expect(logs.some((line) => line.startsWith('[loud] truncated'))).to.equal(true)
    const {body} = await service.request(`/execute/${execution.execution_id}/steps`)
    expect(body.steps[0].output)
      .to.contain('bytes left out')
      .and.to.match(/end\n$/)
  })

  it('survives output that is no text', async () => {
    const execution = await service.run({
      handlers: [shell('binary', "printf '\\377\\376\\000a\\n'; printf 'h\\303'; printf '\\251\\n'")],
    })
    expect(execution.status).to.equal('completed')
    expect(execution.logs).to.include('[binary] h\u{E9}')
  })
})
