import {execFileSync} from 'node:child_process'
import {existsSync} from 'node:fs'
import {mkdir, readFile, rm, statfs, writeFile} from 'node:fs/promises'
import {setTimeout as delay} from 'node:timers/promises'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {trustOwnKey, writeSignedPackage} from '../support/packages.ts'
import {serveFor, type SharedServices} from '../support/people.ts'

const MB = 1024 * 1024
const HANDLERS = `    - name: one
      type: shell
      config: {command: 'echo one >> "$BASE.one"; until [ -e "$BASE.go" ]; do sleep 0.1; done; seq 50000'}
      timeout: "5m"
    - name: two
      type: shell
      config: {command: 'echo two >> "$BASE.two"'}
      timeout: "5m"`

// The embedded database and the work folders of executions on a small disk of their own.
describe('a full disk under the embedded services', function () {
  this.timeout(300_000)
  let sandbox: Sandbox
  let services: SharedServices

  before(async function () {
    sandbox = await createSandbox()
    await mkdir(sandbox.path('data'))
    if (!mountDisk(sandbox.path('data'))) {
      console.log('      no disk to fill: mounting a tmpfs takes Linux and root')
      return this.skip()
    }
    await trustOwnKey(sandbox)
    await writeSignedPackage(sandbox, {name: 'steps', handlers: HANDLERS})
    services = await serveFor(sandbox, {dora: 'admin'})
  })
  after(async () => {
    await services?.[Symbol.asyncDispose]()
    if (services) execFileSync('umount', [sandbox.path('data')])
    await sandbox?.[Symbol.asyncDispose]()
  })

  const as = (...args: string[]): Promise<RunResult> => services.as('dora', ...args)
  const run = (name: string): Promise<RunResult> =>
    as('run', 'steps.wpk.yaml', '-p', `base=${sandbox.path(name)}`, '-q')
  const lines = (name: string): Promise<string> => readFile(sandbox.path(name), 'utf8')

  it('refuses content with STORAGE_FULL (9), loses nothing, and goes on when there is room again', async () => {
    const before = (await run('before')).stdout.trim()
    await until(() => existsSync(sandbox.path('before.one')))
    await fillDisk(sandbox.path('data'), 30 * MB)
    const refused = await as('push', 'steps.wpk.yaml', '-o', 'json')
    expect(refused.code).to.equal(9)
    expect((JSON.parse(refused.stdout) as {error: object}).error).to.include({code: 'STORAGE_FULL'})
    await fillDisk(sandbox.path('data'), 0)
    const during = await run('during')
    await writeFile(sandbox.path('before.go'), '')
    await writeFile(sandbox.path('during.go'), '')
    expect((await as('status', before)).code, 'reading').to.equal(0)
    await rm(sandbox.path('data', 'filler-0'), {force: true})
    await rm(sandbox.path('data', `filler-${30 * MB}`))
    const accepted = during.code === 0 ? [before, during.stdout.trim()] : [before]
    for (const id of accepted) expect((await as('status', id, '--watch')).code).to.equal(0)
    for (const name of during.code === 0 ? ['before', 'during'] : ['before'])
      expect([await lines(`${name}.one`), await lines(`${name}.two`)]).to.deep.equal(['one\n', 'two\n'])
    const pushed = await as('push', 'steps.wpk.yaml')
    expect(pushed.code, pushed.stderr).to.equal(0)
  })
})

function mountDisk(directory: string): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=300m,mode=0700', 'tmpfs', directory], {stdio: 'ignore'})
    return true
  } catch {
    return false // a container without the right to mount
  }
}

/** Leaves that many bytes free. */
async function fillDisk(directory: string, left: number): Promise<void> {
  const {bavail, bsize} = await statfs(directory)
  const bytes = Math.max(0, bavail * bsize - left)
  execFileSync('fallocate', ['-l', String(bytes), `${directory}/filler-${left}`])
}

async function until(holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 60_000; !holds() && Date.now() < deadline;) await delay(20)
  expect(holds()).to.equal(true)
}
