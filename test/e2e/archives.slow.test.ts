import {existsSync} from 'node:fs'
import {mkdir, mkdtemp, readdir, readFile, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {parseYaml} from '@atomctl/wpk/document'
import {expect} from 'chai'
import {runAll} from '../interop/pool.ts'
import {type Attack, exitOf, forgedArchives, malformedArchives, signSample} from '../support/archives.ts'
import {ATOMCTL, createSandbox, filesOf, type Sandbox} from '../support/atomctl.ts'
import {startHostileRegistry} from '../support/hostile-registry.ts'
import {bombs, furtherArchives} from '../support/more-archives.ts'
import {trustOwnKey} from '../support/packages.ts'
import {type DevServices, startServices, stopServices} from '../support/services.ts'

/** How far a process may grow: unpacking one of the bombs would take more than this. */
const MEMORY_KIB = 280 << 10
const COMMANDS = ['verify', 'pull', 'push', 'upload'] as const
type Command = (typeof COMMANDS)[number]

/** What came of trying one attack in one way. */
interface Outcome {
  readonly code: number | string | null
  readonly stdout: string
  readonly stderr: string
  /** Everything below the folder that it was tried in, afterwards. */
  readonly files: readonly string[]
}

describe('every hostile tarball there is', function () {
  this.timeout(1_800_000) // some four hundred processes; a minute or two on a machine of its own
  let sandbox: Sandbox
  let temporary: string
  let services: DevServices
  let token: string
  let listed: object
  let document: Buffer
  let measured: string
  let attacks: Attack[]
  const outcomes = new Map<string, Outcome>()

  before(async () => {
    temporary = await mkdtemp(join(tmpdir(), 'atomctl-attacks-'))
    sandbox = await createSandbox({TMPDIR: temporary})
    await trustOwnKey(sandbox)
    services = await startServices(sandbox)
    token = /auth_token: "?([\w-]+)/.exec(await readFile(sandbox.path('.atomctl', 'config.yaml'), 'utf8'))?.[1] ?? ''
    document = await signSample(sandbox)
    listed = parseYaml(document, 'sample').value as object
    measured = await writeMeasured(sandbox.path('measured.mjs'))
    attacks = [
      ...(await malformedArchives(document)),
      ...(await forgedArchives(document, await signSample(sandbox, 'other'))),
      ...(await furtherArchives(document, sandbox.path('pwned'))),
      ...(await bombs(document)),
    ]
    const kept = await filesOf(sandbox)
    await runAll(attacks, tryAll)
    await rm(sandbox.path('tried'), {recursive: true})
    expect(await filesOf(sandbox), 'what is new in the home directory').to.deep.equal(kept)
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
    await rm(temporary, {recursive: true, force: true})
  })

  /** Tries one attack in every way, each in a folder of its own, with the attack beside it. */
  async function tryAll(attack: Attack): Promise<void> {
    const folder = sandbox.path('tried', String(attacks.indexOf(attack)))
    const work = join(folder, 'work')
    const file = join(folder, 'attack.wpk.tar.gz')
    await mkdir(work, {recursive: true})
    await writeFile(file, attack.bytes)
    const registry = await startHostileRegistry(() => ({listed, served: attack.bytes}))
    const pulled = ['pull', 'sample-1.0.0', '--registry-url', registry.url]
    try {
      for (const command of COMMANDS) {
        const args = command === 'pull' ? pulled : [command, '../attack.wpk.tar.gz']
        const result = await (command === 'upload' ? upload(attack) : runMeasured(args, work))
        const files = (await readdir(folder, {recursive: true})).toSorted()
        outcomes.set(`${command} ${attack.title}`, {...result, files})
      }
    } finally {
      await registry.close()
    }
  }

  async function runMeasured(args: readonly string[], cwd: string): Promise<Omit<Outcome, 'files'>> {
    const {code, stdout, stderr} = await sandbox.atomctl(args, {cwd, binary: measured})
    const peak = Number(/\[PEAK\] (\d+)\n$/.exec(stderr)?.[1])
    return {code: peak < MEMORY_KIB ? code : `grew to ${peak} KiB`, stdout, stderr}
  }

  async function upload({bytes}: Attack): Promise<Omit<Outcome, 'files'>> {
    const form = new FormData()
    form.set('file', new Blob([Buffer.from(bytes)]), 'sample.wpk.tar.gz')
    const headers = {authorization: `Bearer ${token}`}
    const answer = await fetch(`${services.registryUrl}/workflows`, {method: 'POST', body: form, headers})
    const {code} = (await answer.json()) as {code: string}
    return {code: `${answer.status} ${code}`, stdout: '', stderr: ''}
  }

  const expectedOf = (command: Command, attack: Attack): Partial<Outcome> => ({
    code: command === 'upload' ? `400 ${attack.code}` : exitOf(attack),
    stdout: '',
    files: ['attack.wpk.tar.gz', 'work'],
  })

  it('is more than a hundred, each of another kind', () => {
    expect(attacks).to.have.length.greaterThan(100)
    expect(new Set(attacks.map(({title}) => title))).to.have.length(attacks.length)
  })

  for (const command of COMMANDS)
    it(`is refused by ${command}, which leaves nothing behind and does not grow`, () => {
      const wrong = attacks.flatMap((attack) => {
        const {stderr, ...found} = outcomes.get(`${command} ${attack.title}`) as Outcome
        const isSame = JSON.stringify(found) === JSON.stringify(expectedOf(command, attack))
        const isPlain = !/\n\s+at /.test(stderr)
        return isSame && isPlain ? [] : [`${attack.title} (${attack.code}): ${JSON.stringify(found)} ${stderr}`]
      })
      expect(wrong.join('\n')).to.equal('')
    })

  it('reaches no file outside, no temporary folder and no list of workflows', async () => {
    expect(existsSync(sandbox.path('pwned'))).to.equal(false)
    expect(existsSync('/tmp/pwned')).to.equal(false)
    expect(await readdir(temporary)).to.deep.equal([])
    expect((await sandbox.atomctl(['list', '-q'])).stdout).to.equal('')
  })

  it('does not make the registry grow with what the tarballs unpack to', async function () {
    if (process.platform !== 'linux') return this.skip()
    const status = await readFile(`/proc/${services.pid}/status`, 'utf8')
    expect(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1])).to.be.lessThan(2 * MEMORY_KIB)
  })
})

/** The CLI, telling on standard error how far its process grew, in KiB. */
async function writeMeasured(path: string): Promise<string> {
  await writeFile(
    path,
    // not maxRSS, which a process inherits from the one that started it
    `import {readFileSync, writeSync} from 'node:fs'
const peak = () => /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]
process.on('exit', () => writeSync(2, '[PEAK] ' + peak() + '\\n'))
await import(${JSON.stringify(pathToFileURL(ATOMCTL).href)})
`,
  )
  return path
}
