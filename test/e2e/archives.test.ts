import {mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {pathToFileURL} from 'node:url'
import {parseYaml} from '@atomctl/wpk/document'
import type {FaultServer} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {type Attack, bomb, exitOf, forgedArchives, malformedArchives, signSample} from '../support/archives.ts'
import {ATOMCTL, createSandbox, type Sandbox} from '../support/atomctl.ts'
import {type Lie, startHostileRegistry} from '../support/hostile-registry.ts'
import {trustOwnKey} from '../support/packages.ts'
import {type DevServices, startServices, stopServices} from '../support/services.ts'

/** Of the malformed archives, those that every command is tried with; the registry and the slow suite take all. */
const TRIED = [
  'holds a symbolic link',
  'holds a hard link',
  'holds a character device',
  'renames a member with a PAX record',
  'has the same member twice',
  'climbs out with ..',
  'names an absolute path',
  'has another time in one member',
  'hides bytes in the padding of a file',
  'has a second gzip member',
  'has text after the end blocks',
]

/** How far a process may grow: unpacking the bomb would take more than this. */
const MEMORY_KIB = 280 << 10

describe('a hostile tarball', function () {
  this.timeout(180_000)
  let sandbox: Sandbox
  let services: DevServices
  let token: string
  let listed: object
  let attacks: Attack[]
  let malformed: Attack[]
  let tooLarge: Attack
  let registry: FaultServer
  let lie: Lie

  before(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    services = await startServices(sandbox)
    token = /auth_token: "?([\w-]+)/.exec(await readFile(sandbox.path('.atomctl', 'config.yaml'), 'utf8'))?.[1] ?? ''
    const document = await signSample(sandbox)
    listed = parseYaml(document, 'sample').value as object
    malformed = await malformedArchives(document)
    tooLarge = await bomb(document)
    const forged = await forgedArchives(document, await signSample(sandbox, 'other'))
    attacks = [...malformed.filter(({title}) => TRIED.includes(title)), ...forged, tooLarge]
    registry = await startHostileRegistry(() => lie)
    await mkdir(sandbox.path('work'))
  })
  after(async () => {
    await registry?.close()
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  /** Runs a command in a folder of its own, where nothing but `kept` may be afterwards, nor anything new beside it. */
  async function expectRefused(attack: Attack, args: string[], kept: string[]): Promise<void> {
    const around = async (): Promise<string[]> => (await readdir(sandbox.home)).toSorted()
    const before = await around()
    const {code, stdout, stderr} = await sandbox.atomctl(args, {cwd: sandbox.path('work')})
    expect({code, stdout}, `${args[0]}: an archive that ${attack.title}: ${stderr}`).to.deep.equal({
      code: exitOf(attack),
      stdout: '',
    })
    expect(await readdir(sandbox.path('work')), `${args[0]}: ${attack.title}`).to.deep.equal(kept)
    expect(await around()).to.deep.equal(before)
  }

  const spools = async (): Promise<string[]> =>
    (await readdir(tmpdir())).filter((name) => name.startsWith('atomctl-upload-'))

  it('is one of every kind', () => {
    expect(attacks).to.have.length(TRIED.length + 12 + 1)
    expect(malformed).to.have.length.greaterThan(50)
  })

  for (const command of ['verify', 'push'])
    it(`is refused by ${command}`, async () => {
      for (const attack of attacks) {
        await writeFile(sandbox.path('attack.wpk.tar.gz'), attack.bytes)
        await expectRefused(attack, [command, '../attack.wpk.tar.gz'], [])
      }
    })

  it('is refused by pull, and nothing of it stays', async () => {
    for (const attack of attacks) {
      lie = {listed, served: attack.bytes}
      await expectRefused(attack, ['pull', 'sample-1.0.0', '--registry-url', registry.url], [])
    }
  })

  it('does not replace what was there before, even with --force', async () => {
    const target = sandbox.path('work', 'mine.wpk.tar.gz')
    await writeFile(target, 'mine')
    lie = {listed, served: attacks[0]?.bytes ?? Buffer.alloc(0)}
    const args = ['pull', 'sample-1.0.0', '--registry-url', registry.url, '-O', 'mine.wpk.tar.gz', '--force']
    await expectRefused(attacks[0] as Attack, args, ['mine.wpk.tar.gz'])
    expect(await readFile(target, 'utf8')).to.equal('mine')
  })

  it('is refused by the registry, which keeps nothing', async () => {
    const before = await spools()
    for (const attack of [...malformed, ...attacks]) {
      const form = new FormData()
      form.set('file', new Blob([Buffer.from(attack.bytes)]), 'sample.wpk.tar.gz')
      const headers = {authorization: `Bearer ${token}`}
      const answer = await fetch(`${services.registryUrl}/workflows`, {method: 'POST', body: form, headers})
      const {code} = (await answer.json()) as {code: string}
      expect([answer.status, code], attack.title).to.deep.equal([400, attack.code])
    }
    expect((await sandbox.atomctl(['list', '-q'])).stdout.trim()).to.equal('')
    expect(await spools()).to.deep.equal(before)
  })

  it('does not make the command, or the registry, grow with what it unpacks to', async function () {
    if (process.platform !== 'linux') return this.skip()
    await writeFile(sandbox.path('attack.wpk.tar.gz'), tooLarge.bytes)
    const measured = sandbox.path('measured.mjs')
    const peak = sandbox.path('peak')
    await writeFile(
      measured,
      // not maxRSS, which a process inherits from the one that started it
      `import {readFileSync, writeFileSync} from 'node:fs'
const peak = () => /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
process.on('exit', () => writeFileSync(${JSON.stringify(peak)}, peak()))
await import(${JSON.stringify(pathToFileURL(ATOMCTL).href)})
`,
    )
    const {code} = await sandbox.atomctl(['verify', 'attack.wpk.tar.gz'], {binary: measured})
    expect(code).to.equal(3)
    expect(Number(await readFile(peak, 'utf8'))).to.be.lessThan(MEMORY_KIB)
    const status = await readFile(`/proc/${services.pid}/status`, 'utf8')
    expect(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1])).to.be.lessThan(2 * MEMORY_KIB)
  })

  it('cannot fill the disk: pull stops at the largest package there may be', async () => {
    lie = {listed, served: Buffer.alloc(3 << 20, '# \n')}
    await expectRefused(
      {title: 'is a document without end', bytes: Buffer.alloc(0), code: 'ARCHIVE_TOO_LARGE'},
      ['pull', 'sample-1.0.0', '--registry-url', registry.url],
      ['mine.wpk.tar.gz'],
    )
  })
})
