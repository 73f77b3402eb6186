import {chmod, mkdir, readdir, readFile, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {startAtomDouble} from '@atomctl/sdk/testing'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../../../test/support/atomctl.ts'
import {packageText, trustOwnKey} from '../../../test/support/packages.ts'
import {startServices, stopServices} from '../../../test/support/services.ts'

interface Report {
  items: {subject: string; status: string; id?: string; note?: string; error?: {code: string}}[]
  totals: Record<string, number>
}

const OPERATIONS = [
  ['validate'],
  ['lint'],
  ['sign'],
  ['verify'],
  ['pack', '--out-dir', 'dist'],
  ['push'],
  ['run', '--wait'],
] as const

describe('batch, over plain documents and packages with files', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await writeTree('runbooks')
  })
  afterEach(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  /** One plain document at the top, one in a directory of its own, and one with a program beside it. */
  async function writeTree(name: string): Promise<void> {
    await mkdir(sandbox.path(name, 'rotate', 'bin'), {recursive: true})
    await mkdir(sandbox.path(name, 'team'))
    await writeFile(sandbox.path(name, 'plain.wpk.yaml'), packageText({name: 'plain'}))
    await writeFile(sandbox.path(name, 'team', 'other.wpk.yaml'), packageText({name: 'other'}))
    const rotate = packageText({name: 'rotate', command: 'sh bin/rotate.sh'})
    await writeFile(sandbox.path(name, 'rotate', 'rotate.wpk.yaml'), rotate)
    await writeFile(sandbox.path(name, 'rotate', 'bin', 'rotate.sh'), 'echo rotated by its own program\n')
    await chmod(sandbox.path(name, 'rotate', 'bin', 'rotate.sh'), 0o755)
  }

  const ok = async (...args: string[]): Promise<string> => {
    const {code, stdout, stderr} = await sandbox.atomctl(args)
    expect(code, `${args.join(' ')}\n${stdout}${stderr}`).to.equal(0)
    return stdout
  }
  const reportOf = ({stdout}: RunResult): Report => (JSON.parse(stdout) as {data: Report}).data

  it('every operation takes the same packages, and a directory goes whole to the registry and to its run', async () => {
    await startServices(sandbox)
    for (const [operation, ...flags] of OPERATIONS) {
      const first = await sandbox.atomctl(['batch', operation, 'runbooks', ...flags, '-o', 'json'])
      const report = reportOf(first)
      expect(report.totals, `${operation}\n${first.stdout}`).to.include({items: 3, ok: 3})
      expect(report.items.map(({id}) => id)).to.have.members(['plain-1.0.0', 'other-1.0.0', 'rotate-1.0.0'])
      const again = reportOf(
        await sandbox.atomctl(['batch', operation, 'runbooks', ...flags, '-o', 'json', '--resume']),
      )
      expect(again.totals, `${operation} again`).to.include({items: 3, skipped: 3})
    }
    const pushed = reportOf(
      await sandbox.atomctl(['batch', 'push', 'runbooks', 'dist/rotate-1.0.0.wpk.tar.gz', '-o', 'json']),
    )
    expect(pushed.items.map(({note}) => note)).to.deep.equal(['unchanged', 'unchanged', 'unchanged', 'unchanged'])

    await ok('pull', 'rotate-1.0.0', '-O', 'pulled.wpk.tar.gz')
    expect(await ok('verify', 'pulled.wpk.tar.gz', '-o', 'json')).to.match(/"files": 1/)
    expect(await readFile(sandbox.path('pulled.wpk.tar.gz'))).to.deep.equal(
      await readFile(sandbox.path('dist', 'rotate-1.0.0.wpk.tar.gz')),
    )
    await ok('pull', 'plain-1.0.0', '-O', 'pulled.wpk.yaml')
    expect(await readFile(sandbox.path('pulled.wpk.yaml'), 'utf8')).to.equal(
      await readFile(sandbox.path('runbooks', 'plain.wpk.yaml'), 'utf8'),
    )
    const run = JSON.parse(await ok('run', 'rotate-1.0.0', '--wait', '-o', 'json')) as {data: {execution_id: string}}
    expect(await ok('logs', run.data.execution_id)).to.contain('rotated by its own program')
  })

  it('a file that was changed, added or removed after the signature stops its package and no other', async () => {
    await ok('batch', 'sign', 'runbooks')
    await startServices(sandbox)
    const program = sandbox.path('runbooks', 'rotate', 'bin', 'rotate.sh')
    const original = await readFile(program)
    for (const text of ['echo something else\n', `${original.toString()}\n`]) {
      await writeFile(program, text)
      for (const operation of ['verify', 'push', 'run']) {
        const result = await sandbox.atomctl(['batch', operation, 'runbooks', '-o', 'json'])
        expect(result.code, operation).to.equal(11)
        const codes = reportOf(result).items.map(({id, error}) => error?.code ?? id)
        expect(codes).to.have.members(['plain-1.0.0', 'other-1.0.0', 'WPK_TAMPERED'])
      }
    }
    await writeFile(program, original)
    await writeFile(sandbox.path('runbooks', 'rotate', 'added.txt'), 'x')
    expect((await sandbox.atomctl(['batch', 'push', 'runbooks'])).code).to.equal(11)
    expect((await ok('list', '-q')).trim().split('\n').toSorted()).to.deep.equal(['other-1.0.0', 'plain-1.0.0'])
  })

  it('the single commands take such a directory in the same way', async () => {
    await startServices(sandbox)
    await ok('sign', 'runbooks/rotate')
    expect(await ok('verify', 'runbooks/rotate', '-o', 'json')).to.match(/"files": 1/)
    await ok('push', 'runbooks/rotate')
    expect(await ok('inspect', 'runbooks/rotate')).to.contain('rotate')
    expect(await ok('run', 'runbooks/rotate', '--wait')).to.contain('completed')
    const alone = await sandbox.atomctl(['verify', 'runbooks/rotate/rotate.wpk.yaml'])
    expect(alone.code).to.equal(11)
    expect(alone.stderr).to.contain('rotate.sh was signed but is missing').and.to.contain('name the directory')
    const many = await sandbox.atomctl(['push', 'runbooks/rotate/bin'])
    expect(many.code).to.equal(3)
    expect(many.stderr).to.contain('must hold exactly one *.wpk.yaml')
  })

  it('a registry that knows documents only gets the documents, and is sent nothing of a directory', async () => {
    await ok('batch', 'sign', 'runbooks')
    const before = await temporaries()
    const double = await startAtomDouble()
    const args = ['batch', 'push', 'runbooks', '--registry-url', double.registryUrl, '-o', 'json']
    const result = await sandbox.atomctl(args, {env: {ATOMCTL_AUTH_TOKEN: 'any'}}).finally(() => double.close())
    expect(double.requests.filter(({method}) => method === 'POST')).to.have.length(2)
    expect(reportOf(result).items.map(({id, error}) => error?.code ?? id)).to.have.members([
      'plain-1.0.0',
      'other-1.0.0',
      'NOT_SUPPORTED',
    ])
    expect(await temporaries(), 'nothing stays behind').to.deep.equal(before)
  })
})

async function temporaries(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('atomctl-push-'))
}
