import {spawn} from 'node:child_process'
import {existsSync, mkdtempSync, readFileSync, realpathSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {setTimeout as delay} from 'node:timers/promises'
import {expect} from 'chai'
import {runCommand, type Command, type CommandResult} from '../../src/process/command.ts'

describe('runCommand', () => {
  let directory: string
  before(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'command-')))
  })
  after(() => rmSync(directory, {recursive: true, force: true}))

  const run = async (script: string, options: Partial<Command> = {}): Promise<CommandResult & {output: string}> => {
    let output = ''
    const result = await runCommand({
      file: '/bin/sh',
      args: ['-c', script],
      directory,
      ownDirectory: directory,
      environment: {PATH: process.env['PATH'] ?? '/usr/bin:/bin'},
      timeoutMs: 10_000,
      graceMs: 200,
      signal: new AbortController().signal,
      onOutput: (_stream, chunk) => {
        output += Buffer.from(chunk).toString()
      },
      ...options,
    })
    return {...result, output}
  }

  it('answers the exit code and everything that was printed', async () => {
    const result = await run('echo out; echo err >&2; exit 7')
    expect(result).to.include({ended: 'exit', exitCode: 7, exitSignal: null, heldOpen: false})
    expect(result.output.split('\n').filter(Boolean).toSorted()).to.deep.equal(['err', 'out'])
  })

  it('names the signal that ended a command', async () => {
    expect(await run('kill -9 $$')).to.include({ended: 'exit', exitCode: null, exitSignal: 'SIGKILL'})
  })

  it('says so when the program does not exist', async () => {
    expect(await run('', {file: '/no/such/shell'})).to.include({ended: 'spawn-error', spawnError: 'ENOENT'})
  })

  it('says so when the directory does not exist', async () => {
    expect(await run('true', {directory: join(directory, 'absent')})).to.include({ended: 'spawn-error'})
  })

  it('does not wait for a child in the background that keeps the output open', async () => {
    const started = performance.now()
    const result = await run('sleep 30 & echo $! > background; echo done')
    process.kill(Number(readFileSync(join(directory, 'background'), 'utf8')), 'SIGKILL')
    expect(result).to.include({ended: 'exit', exitCode: 0, heldOpen: true})
    expect(performance.now() - started).to.be.lessThan(5_000)
  })

  it('ends at its timeout, however the command behaves', async () => {
    const started = performance.now()
    const result = await run('trap "" TERM; while :; do sleep 1; done', {timeoutMs: 300})
    expect(result.ended).to.equal('timeout')
    expect(performance.now() - started).to.be.within(300, 4_000)
  })

  it('lets a command tidy up between SIGTERM and SIGKILL', async () => {
    const script = 'trap "echo tidied; exit 3" TERM; echo ready; while :; do sleep 0.05; done'
    expect(await run(script, {timeoutMs: 400, graceMs: 3_000})).to.include({ended: 'timeout', exitCode: 3})
    expect((await run(script, {timeoutMs: 400, graceMs: 3_000})).output).to.contain('tidied')
  })

  it('stops when its signal aborts', async () => {
    const controller = new AbortController()
    const running = run('echo $$ > stopped; sleep 30', {signal: controller.signal})
    await until(() => existsSync(join(directory, 'stopped')))
    controller.abort()
    expect((await running).ended).to.equal('abort')
  })

  it('does not start to wait when its signal has aborted before', async () => {
    expect((await run('sleep 30', {signal: AbortSignal.abort()})).ended).to.equal('abort')
  })

  it('kills grandchildren, also those that ignore SIGTERM or left the group with setsid', async function () {
    if (process.platform !== 'linux') this.skip()
    const script = `trap "" TERM
      (trap "" TERM; sleep 300 & echo $! > grandchild; wait) &
      (setsid sh -c 'trap "" TERM; echo $$ > escaped; sleep 300; true' &)
      sleep 300`
    await run(script, {timeoutMs: 500})
    await until(() => existsSync(join(directory, 'escaped')))
    expect(isAlive(join(directory, 'grandchild')), 'grandchild').to.equal(false)
    expect(isAlive(join(directory, 'escaped')), 'escaped').to.equal(false)
  })

  for (const [what, script] of [
    ['forked twice', `(setsid sh -c 'sh -c "echo \\$\\$ > daemon; exec sleep 300" & exit'); sleep 300`],
    ['dropped its environment', `env -i setsid sh -c 'echo $$ > daemon; exec sleep 300' & sleep 300`],
    [
      'forked twice and dropped its environment',
      `(env -i setsid sh -c 'sh -c "echo \\$\\$ > daemon; exec sleep 300" & exit'); sleep 300`,
    ],
    [
      'forked twice, dropped its environment and writes elsewhere',
      `(env -i setsid sh -c 'sh -c "echo \\$\\$ > daemon; exec sleep 300" >/dev/null 2>&1 </dev/null & exit'); sleep 300`,
    ],
  ] as const)
    it(`kills a daemon that ${what}`, async function () {
      if (process.platform !== 'linux') this.skip()
      const file = join(directory, 'daemon')
      rmSync(file, {force: true})
      const controller = new AbortController()
      const running = run(script, {signal: controller.signal, timeoutMs: 60_000})
      await until(() => existsSync(file) && readFileSync(file, 'utf8').endsWith('\n') && isAlive(file))
      controller.abort()
      await running
      expect(isAlive(file)).to.equal(false)
    })

  it('leaves processes alone that only happen to be in the same folder', async function () {
    if (process.platform !== 'linux') this.skip()
    const bystander = spawn('sleep', ['300'], {cwd: directory, detached: true, stdio: 'ignore'})
    try {
      await run('sleep 300', {timeoutMs: 100})
      expect([bystander.exitCode, bystander.signalCode]).to.deep.equal([null, null])
    } finally {
      bystander.kill('SIGKILL')
    }
  })

  function isAlive(file: string): boolean {
    try {
      const stat = readFileSync(`/proc/${readFileSync(file, 'utf8').trim()}/stat`, 'latin1')
      return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
    } catch {
      return false
    }
  }
})

async function until(condition: () => boolean): Promise<void> {
  for (let left = 1500; !condition(); left -= 1) {
    if (left === 0) throw new Error('the condition was never met')
    await delay(10)
  }
}
