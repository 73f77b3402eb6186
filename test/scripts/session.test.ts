import {existsSync} from 'node:fs'
import {expect} from 'chai'
import {Session, StepFailure} from '../../scripts/session.ts'

const PRINT = ['-e', 'console.log("out"); console.error("err"); process.exitCode = Number(process.argv[1] ?? 0)']

describe('the session that quickstart plays', () => {
  let shown: string
  let session: Session
  beforeEach(() => {
    shown = ''
    session = new Session({}, (text) => (shown += text))
  })
  afterEach(() => session.close())

  const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
    promise.then(
      () => undefined,
      (error: unknown) => error,
    )

  it('shows each command as it would be typed, and what it really prints', async () => {
    await session.run('atomctl greet', PRINT, {shows: ['out', /^err$/m]})
    expect(shown).to.match(/^\n\$ atomctl greet\n/)
    expect(shown).to.contain('out\n').and.to.contain('err\n')
    expect(session.commands).to.equal(1)
  })

  it('fails at a command that ends otherwise than it should, in either direction', async () => {
    const failed = await failureOf(session.run('x', [...PRINT, '3']))
    expect(failed).to.be.instanceOf(StepFailure).and.to.include({message: '"x" ended with 3, not 0'})
    expect(await failureOf(session.run('x', PRINT, {exit: 10}))).to.be.instanceOf(StepFailure)
  })

  it('fails at a command that does not show what it should', async () => {
    const failed = await failureOf(session.run('x', PRINT, {shows: ['out', 'nowhere']}))
    expect(failed).to.include({message: '"x" does not show nowhere'})
  })

  it('fails at the command during which it was interrupted, and at those after it', async () => {
    const running = failureOf(session.run('x', ['-e', 'console.log("up"); setInterval(() => {}, 1000)']))
    while (!shown.includes('up')) await new Promise(setImmediate)
    session.interrupt()
    session.interrupt()
    expect(await running).to.include({message: 'interrupted'})
    expect(await failureOf(session.run('y', PRINT))).to.include({message: 'interrupted'})
  })

  it('lets nothing of the caller’s settings in, and leaves no home behind', async () => {
    process.env['ATOMCTL_REGISTRY_URL'] = 'https://registry.example'
    try {
      const other = new Session({}, (text) => (shown += text))
      await other.run('env', ['-p', '[process.env.HOME, process.env.ATOMCTL_REGISTRY_URL].join(" ")'])
      expect(shown).to.contain(`${other.home} \n`)
      await other.close()
      expect(existsSync(other.home)).to.equal(false)
    } finally {
      delete process.env['ATOMCTL_REGISTRY_URL']
    }
  })
})
