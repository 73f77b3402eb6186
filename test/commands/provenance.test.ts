import {execFile} from 'node:child_process'
import {chmod, mkdir, readFile, rm, utimes, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {promisify} from 'node:util'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {packageText, trustOwnKey, writePackage} from '../support/packages.ts'

interface Provenance {
  builder: string
  actor?: string
  source?: {repository?: string; commit: string; dirty: boolean}
  run?: {id: string; url?: string}
}

describe('provenance', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  let commit: string

  const git = async (...args: string[]): Promise<string> => {
    const env = {PATH: process.env['PATH'], HOME: sandbox.home, GIT_CONFIG_NOSYSTEM: '1'}
    return (await promisify(execFile)('git', args, {cwd: sandbox.path('repository'), env})).stdout.trim()
  }

  beforeEach(async () => {
    sandbox = await createSandbox()
    await trustOwnKey(sandbox)
    await mkdir(sandbox.path('repository', 'books'), {recursive: true})
    await git('init', '--quiet')
    await git('config', 'user.email', 'me@example.com')
    await git('config', 'user.name', 'Me')
    await git('remote', 'add', 'origin', 'https://me:hunter2@git.example.com/acme/books.git?token=hunter2')
    await writeFile(sandbox.path('repository', 'books', 'hello.wpk.yaml'), packageText())
    await writeFile(sandbox.path('repository', 'books', 'notes.txt'), 'hi\n')
    await git('add', '.')
    await git('commit', '--quiet', '-m', 'first')
    commit = await git('rev-parse', 'HEAD')
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const key = (): string => sandbox.path('cosign.key')

  async function sign(env: Record<string, string> = {}, cwd = sandbox.path('repository', 'books')): Promise<void> {
    const {code, stderr} = await sandbox.atomctl(['sign', '.', '--provenance', '--key', key()], {cwd, env})
    expect(code, stderr).to.equal(0)
  }

  async function inspect(path = 'repository/books/hello.wpk.yaml'): Promise<Provenance> {
    const {stdout} = await sandbox.atomctl(['inspect', path, '-o', 'json'])
    return (JSON.parse(stdout) as {data: {provenance: Provenance}}).data.provenance
  }

  it('names commit, repository without credentials, and who signed; inspect shows it', async () => {
    await sign()
    const {source, ...rest} = await inspect()
    expect(source).to.deep.equal({commit, dirty: false, repository: 'https://git.example.com/acme/books.git'})
    expect(rest).to.include({builder: 'local', actor: 'me@example.com'})
    const {stdout} = await sandbox.atomctl(['inspect', 'repository/books/hello.wpk.yaml'])
    expect(stdout).to.contain(`Built From: ${commit} of https://git.example.com/acme/books.git`)
    const signed = await readFile(sandbox.path('repository', 'books', 'hello.wpk.yaml'), 'utf8')
    const bundle = Buffer.from(/base64,([^"]+)/.exec(signed)?.[1] ?? '', 'base64').toString()
    const {payload} = (JSON.parse(bundle) as {dsseEnvelope: {payload: string}}).dsseEnvelope
    expect(Buffer.from(payload, 'base64').toString()).to.contain(commit).and.not.to.contain('hunter2')
  })

  it('does not take its own signature for a change, nor files that are not packed', async () => {
    await sign()
    await writeFile(sandbox.path('repository', 'elsewhere.txt'), 'x')
    await sign()
    expect((await inspect()).source?.dirty).to.equal(false)
  })

  it('says so when the document, or a file of the package, is not what was committed', async () => {
    const file = sandbox.path('repository', 'books', 'hello.wpk.yaml')
    await writeFile(file, packageText({command: 'echo other'}))
    await sign()
    expect((await inspect()).source?.dirty).to.equal(true)
    await writeFile(file, packageText())
    await writeFile(sandbox.path('repository', 'books', 'notes.txt'), 'ho\n')
    await sign()
    expect((await inspect()).source?.dirty).to.equal(true)
    await git('checkout', '--quiet', '--', 'books/notes.txt')
    await writeFile(sandbox.path('repository', 'books', 'new.txt'), '')
    await sign()
    expect((await inspect()).source?.dirty).to.equal(true)
  })

  it('names the run of a CI by its usual variables', async () => {
    await sign({
      GITHUB_ACTIONS: 'true',
      GITHUB_SERVER_URL: 'https://github.com',
      GITHUB_REPOSITORY: 'acme/books',
      GITHUB_RUN_ID: '77',
      GITHUB_ACTOR: 'octocat',
      GITHUB_TOKEN: 'ghs_secret',
    })
    const github = await inspect()
    expect(github).to.include({builder: 'github-actions', actor: 'octocat'})
    expect(github.run).to.deep.equal({id: '77', url: 'https://github.com/acme/books/actions/runs/77'})
    await sign({
      GITLAB_CI: 'true',
      CI_JOB_ID: '5',
      CI_JOB_URL: 'https://ci:pw@gitlab.example.com/j/5',
      GITLAB_USER_LOGIN: 'jo',
    })
    expect((await inspect()).run).to.deep.equal({id: '5', url: 'https://gitlab.example.com/j/5'})
  })

  it('says what it knows outside a checkout, and leaves out what cannot be shown', async () => {
    const file = await writePackage(sandbox)
    const env = {BUILDKITE: 'true', BUILDKITE_BUILD_ID: 'a\u001bb', BUILDKITE_BUILD_CREATOR: 'x'.repeat(5000)}
    const {code, stderr} = await sandbox.atomctl(['sign', file, '--provenance'], {env})
    expect(code, stderr).to.equal(0)
    const {builder, ...rest} = await inspect(file)
    expect(builder).to.equal('buildkite')
    expect(Object.keys(rest)).to.deep.equal(['builtAt'])
  })

  describe('in a checkout that lies', function () {
    before(function () {
      if (process.platform === 'win32') this.skip()
    })

    const notes = (): string => sandbox.path('repository', 'books', 'notes.txt')
    const sprung = (): Promise<string> => readFile(sandbox.path('sprung'), 'utf8').catch(() => 'nothing')

    /** A program that writes down that it ran. */
    async function setTrap(): Promise<string> {
      const trap = sandbox.path('trap.sh')
      await writeFile(trap, `#!/bin/sh\necho "$0 $*" >> ${sandbox.path('sprung')}\ncat\n`)
      await chmod(trap, 0o755)
      return trap
    }

    it('runs nothing that its configuration names', async () => {
      const trap = await setTrap()
      const names = ['core.fsmonitor', 'filter.x.clean', 'filter.x.smudge', 'diff.x.textconv', 'diff.external']
      for (const name of [...names, 'core.pager', 'core.sshCommand', 'gpg.program', 'core.editor'])
        await git('config', name, trap)
      await git('config', 'filter.y.process', trap)
      await git('config', 'core.hooksPath', sandbox.home)
      const attributes = '*.txt filter=x diff=x\n*.yaml filter=y diff=x\n'
      await writeFile(sandbox.path('repository', '.git', 'info', 'attributes'), attributes)
      // touched since the index was written, so that git would look at the content anew
      await utimes(notes(), 1, 1)
      await sign()
      expect(await sprung()).to.equal('nothing')
      expect((await inspect()).source?.dirty).to.equal(false)
    })

    it('nor what that of a repository inside it names', async () => {
      const inner = sandbox.path('repository', 'books', 'inner')
      await mkdir(inner)
      await writeFile(join(inner, 'x.txt'), 'x\n')
      for (const args of [
        ['init', '--quiet', '.'],
        ['add', '.'],
        ['-c', 'user.name=x', '-c', 'user.email=x@y', 'commit', '--quiet', '-m', 'x'],
      ])
        await git('-C', inner, ...args)
      await git('add', '--force', '.')
      await git('commit', '--quiet', '-m', 'inner')
      await git('-C', inner, 'config', 'filter.x.clean', await setTrap())
      await writeFile(join(inner, '.git', 'info', 'attributes'), '* filter=x\n')
      await utimes(join(inner, 'x.txt'), 1, 1)
      await sign()
      expect(await sprung()).to.equal('nothing')
      expect((await inspect()).source?.dirty).to.equal(true)
    })

    it('fetches nothing that is missing in it, by whatever program', async () => {
      const trap = await setTrap()
      const blob = await git('rev-parse', 'HEAD:books/hello.wpk.yaml')
      await rm(sandbox.path('repository', '.git', 'objects', blob.slice(0, 2), blob.slice(2)))
      for (const [name, value] of [
        ['remote.origin.url', `ext::${trap} x`],
        ['protocol.ext.allow', 'always'],
        ['remote.origin.promisor', 'true'],
        ['extensions.partialClone', 'origin'],
        ['core.repositoryformatversion', '1'],
      ] as const)
        await git('config', name, value)
      await sign()
      await git('config', 'remote.origin.url', sandbox.path('repository'))
      await git('config', 'remote.origin.uploadpack', trap)
      await sign()
      expect(await sprung()).to.equal('nothing')
      expect((await inspect()).source?.dirty).to.equal(true)
    })

    it('sees a change that it hides', async () => {
      const lies: Record<string, () => Promise<unknown>> = {
        'assume-unchanged': () => git('update-index', '--assume-unchanged', 'books/notes.txt'),
        'skip-worktree': () => git('update-index', '--skip-worktree', 'books/notes.txt'),
        'clean filter': async () => {
          await git('config', 'filter.x.clean', 'echo hi')
          await writeFile(sandbox.path('repository', '.git', 'info', 'attributes'), 'notes.txt filter=x\n')
        },
      }
      for (const [lie, prepare] of Object.entries(lies)) {
        await git('checkout', '--quiet', '-f', 'HEAD')
        await prepare()
        await writeFile(notes(), 'ho\n')
        await sign()
        expect((await inspect()).source, lie).to.deep.include({commit, dirty: true})
      }
    })

    it('sees a mode that it hides, and a file that is gone', async () => {
      await git('config', 'core.fileMode', 'false')
      await chmod(notes(), 0o755)
      await sign()
      expect((await inspect()).source?.dirty).to.equal(true)
      await rm(notes())
      await sign()
      expect((await inspect()).source?.dirty).to.equal(true)
    })

    it('is not told what another commit holds in the place of its own', async () => {
      await writeFile(notes(), 'ho\n')
      await git('commit', '--quiet', '-a', '-m', 'second')
      const second = await git('rev-parse', 'HEAD')
      await git('update-ref', 'HEAD', commit)
      await git('replace', commit, second)
      await sign()
      expect((await inspect()).source).to.deep.include({commit, dirty: true})
    })

    it('asks the repository around the package, whichever one a hook of git set', async () => {
      await git('init', '--quiet', sandbox.path('other'))
      await sign({GIT_DIR: sandbox.path('other', '.git'), GIT_WORK_TREE: sandbox.path('other')})
      expect((await inspect()).source).to.deep.include({commit, dirty: false})
    })
  })

  it('tells git no password and no token', async () => {
    await mkdir(sandbox.path('bin'))
    const script = `#!/bin/sh\nenv >> "${sandbox.path('told')}"\nexit 1\n`
    await writeFile(sandbox.path('bin', 'git'), script, {mode: 0o755})
    await sign({PATH: `${sandbox.path('bin')}:/usr/bin:/bin`, SIGSTORE_ID_TOKEN: 'token', ATOMCTL_TOKEN: 'token'})
    const told = await readFile(sandbox.path('told'), 'utf8')
    expect(told).to.contain('GIT_NO_LAZY_FETCH=1')
    expect(told).not.to.match(/COSIGN_PASSWORD|TOKEN/)
  })

  it('goes into a tarball with pack --sign --provenance, and needs --sign', async () => {
    const cwd = sandbox.path('repository')
    const packed = await sandbox.atomctl(['pack', 'books', '--sign', '--provenance', '--key', key()], {cwd})
    expect(packed.code, packed.stderr).to.equal(0)
    expect((await inspect('repository/hello-1.0.0.wpk.tar.gz')).source?.commit).to.equal(commit)
    expect((await sandbox.atomctl(['pack', 'books', '--provenance'], {cwd})).code).to.equal(2)
  })

  it('can be required by a policy: verify and run refuse a package without it', async () => {
    const policy = `keys: {me: {file: cosign.pub}}\nrules: [{name: built, signers: [{keys: [me]}], requireProvenance: true}]\n`
    await writeFile(sandbox.path('strict.yaml'), policy)
    const file = await writePackage(sandbox)
    await sandbox.atomctl(['sign', file])
    for (const command of ['verify', 'run']) {
      const {code, stderr} = await sandbox.atomctl([command, file, '--trust-policy', 'strict.yaml'])
      expect(code).to.equal(12)
      expect(stderr).to.contain('atomctl sign FILE --provenance')
    }
    await sign()
    const built = await sandbox.atomctl(['verify', 'repository/books', '--trust-policy', 'strict.yaml'])
    expect(built.code, built.stderr).to.equal(0)
    await sandbox.atomctl(['pack', 'repository/books', '-o', 'built.tar.gz'])
    const verified = await sandbox.atomctl(['verify', 'built.tar.gz', '--trust-policy', 'strict.yaml'])
    expect(verified.code, verified.stderr).to.equal(0)
    expect(verified.stdout).to.contain(`Built From: ${commit} of https://git.example.com/acme/books.git`)
    expect(verified.stdout).to.match(/Built By: local for me@example\.com, 20/)
    const {stdout} = await sandbox.atomctl(['verify', 'built.tar.gz', '--trust-policy', 'strict.yaml', '-o', 'json'])
    const {data} = JSON.parse(stdout) as {data: {verdicts: {provenance: Provenance}[]}}
    expect(data.verdicts[0]?.provenance.source).to.include({commit, dirty: false})
  })

  it('is not shown by verify where nobody trusted states it', async () => {
    await sign()
    await sandbox.atomctl(['pack', 'repository/books', '-o', 'built.tar.gz'])
    await writeFile(sandbox.path('open.yaml'), 'default: {level: audit}\n')
    const {code, stdout} = await sandbox.atomctl(['verify', 'built.tar.gz', '--trust-policy', 'open.yaml'])
    expect(code).to.equal(0)
    expect(stdout).to.contain('Accepted without a trusted signature').and.not.contain(commit)
  })
})
