import {readFile, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey, writeSignedPackage} from '../support/packages.ts'
import {startServices, stopServices} from '../support/services.ts'
import {canPressKeys, installAtomctl, openShell, type Terminal} from '../support/terminal.ts'

// A person at a terminal: a real shell in a pseudo-terminal, and keys that are pressed.
describe('a protected context, on a terminal', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  let shell: Terminal
  before(async function () {
    if (!canPressKeys('bash')) return this.skip()
    sandbox = await createSandbox()
    await installAtomctl(sandbox)
    await trustOwnKey(sandbox)
    await writeSignedPackage(sandbox, {command: `echo ran >> "${sandbox.path('notes')}"`})
    await startServices(sandbox)
    const config = sandbox.path('.atomctl', 'config.yaml')
    const text = await readFile(config, 'utf8')
    await writeFile(config, text.replace(/^ {2}dev:\n/m, '  dev:\n    protected: true\n'))
    await writeFile(sandbox.path('.bashrc'), "PS1='READY> '\n")
    shell = await openShell(sandbox, 'bash')
  })
  after(async () => {
    await shell?.[Symbol.asyncDispose]()
    if (!sandbox) return
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  /** Starts a command, answers its question with these keys, and gives the screen from then to its end. */
  async function answer(command: string, keys: string): Promise<string> {
    shell.press(`atomctl ${command}; echo "EXIT=$?"\r`)
    await shell.until(/The context dev is protected\. Type its name to go on: $/)
    shell.press(keys)
    return shell.until(/EXIT=\d+\s+READY> $/)
  }
  const ran = (): Promise<string> => readFile(sandbox.path('notes'), 'utf8').catch(() => '')

  it('runs nothing when another name is typed, or none (exit 2)', async () => {
    for (const keys of ['prod\r', 'DEV\r', '\r', ' dev x\r']) {
      const screen = await answer('run ./hello.wpk.yaml --wait', keys)
      expect(screen, JSON.stringify(keys)).to.contain('EXIT=2')
      expect(screen).to.contain('the context dev is protected').and.to.contain('--confirm dev')
    }
    expect(await ran()).to.equal('')
  })

  it('runs nothing after Ctrl-C (exit 130) or when the input ends (exit 2)', async () => {
    expect(await answer('run ./hello.wpk.yaml --wait', '\u0003')).to.contain('EXIT=130')
    const ended = await answer('run ./hello.wpk.yaml --wait', '\u0004')
    expect(ended).to.contain('EXIT=2').and.to.contain('the question was not answered')
    expect(await ran()).to.equal('')
  })

  it('asks nothing with --no-input, and names the flag', async () => {
    shell.press('atomctl run ./hello.wpk.yaml --no-input; echo "EXIT=$?"\r')
    const screen = await shell.until(/EXIT=\d+\s+READY> $/)
    expect(screen).to.contain('EXIT=2').and.to.contain('--confirm dev').and.not.to.contain('Type its name')
  })

  it('goes on when its name is typed, corrected on the way, or given with --confirm', async () => {
    for (const keys of ['dev\r', 'dexx\u007f\u007fv\r']) {
      const screen = await answer('run ./hello.wpk.yaml --wait', keys)
      expect(screen).to.contain('EXIT=0').and.to.contain('Execution completed successfully')
    }
    shell.press('atomctl run ./hello.wpk.yaml --wait --confirm dev; echo "EXIT=$?"\r')
    const confirmed = await shell.until(/EXIT=\d+\s+READY> $/)
    expect(confirmed).to.contain('EXIT=0').and.not.to.contain('Type its name')
    expect(await ran()).to.equal('ran\nran\nran\n')
  })
})
