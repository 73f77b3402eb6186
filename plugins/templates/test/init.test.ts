import {execFileSync, spawn, spawnSync} from 'node:child_process'
import {once} from 'node:events'
import {chmod, mkdir, readdir, readFile, stat, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {expect} from 'chai'
import {ATOMCTL, createSandbox, filesOf, type RunResult, type Sandbox} from '../../../test/support/atomctl.ts'
import {packageText} from '../../../test/support/packages.ts'

const hasGit = spawnSync('git', ['--version']).status === 0
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0

function git(cwd: string, ...args: string[]): void {
  const identity = ['-c', 'user.name=T', '-c', 'user.email=t@example.com', '-c', 'init.defaultBranch=main']
  execFileSync('git', [...identity, '-c', 'commit.gpgsign=false', ...args], {cwd, stdio: 'ignore'})
}

describe('init and templates', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  const atomctl = (...args: string[]): Promise<RunResult> => sandbox.atomctl(args)
  const read = (...parts: string[]): Promise<string> => readFile(sandbox.path(...parts), 'utf8')

  /** A directory package with a script beside its document. */
  async function writeDirectoryPackage(...parts: string[]): Promise<string> {
    const directory = sandbox.path(...parts)
    await mkdir(join(directory, 'scripts'), {recursive: true})
    await writeFile(join(directory, 'tool.wpk.yaml'), packageText({name: 'tool', command: 'sh scripts/go.sh'}))
    await writeFile(join(directory, 'scripts', 'go.sh'), 'echo gone\n')
    await chmod(join(directory, 'scripts', 'go.sh'), 0o755)
    return directory
  }

  it('writes a package that validates, and says what to do next', async () => {
    const {code, stdout} = await atomctl('init', 'web', '-t', 'restart', '-p', 'author=Ada', '-p', 'namespace=staging')
    expect(code).to.equal(0)
    expect(stdout).to.contain('Created web.wpk.yaml').and.to.contain('--dry-run -p deployment=…')
    const validated = await atomctl('validate', 'web.wpk.yaml', '--strict', '-o', 'json')
    expect(JSON.parse(validated.stdout)).to.have.nested.property('data.files[0].findings').that.deep.equals([])
    expect(await read('web.wpk.yaml')).to.contain('author: "Ada"')
    expect(await filesOf(sandbox)).to.deep.equal(['web.wpk.yaml', 'web.wpktest.yaml'])
  })

  it('writes the tests of the template as well, which pass for the new package', async () => {
    const {stdout} = await atomctl('init', 'web', '-t', 'restart', '-p', 'namespace=staging')
    expect(stdout).to.contain('atomctl test web.wpktest.yaml')
    const tested = await atomctl('test', '--fail-each-step', '--min-coverage', '100')
    expect(tested.code, tested.stdout).to.equal(0)
    expect(tested.stdout).to.contain('web-1.0.0')
  })

  it('writes neither package nor tests when there are tests of that name already', async () => {
    await writeFile(sandbox.path('web.wpktest.yaml'), 'mine')
    expect((await atomctl('init', 'web', '-t', 'hello')).code).to.equal(7)
    expect(await filesOf(sandbox)).to.deep.equal(['web.wpktest.yaml'])
    expect(await read('web.wpktest.yaml')).to.equal('mine')
  })

  it('replaces a file only with --force', async () => {
    await writeFile(sandbox.path('web.wpk.yaml'), 'mine')
    const refused = await atomctl('init', 'web', '-t', 'hello')
    expect(refused.code).to.equal(7)
    expect(await read('web.wpk.yaml')).to.equal('mine')
    expect((await atomctl('init', 'web', '-t', 'hello', '--force')).code).to.equal(0)
    expect(await read('web.wpk.yaml')).to.contain('name: "web"')
  })

  it('writes nothing when anything is wrong', async () => {
    const wrong: [args: string[], code: number][] = [
      [['init', 'web', '-t', 'hello', '-p', 'nobody=1'], 2],
      [['init', 'web', '-t', 'hello', '-p', 'version=one'], 3],
      [['init', 'web', '-t', 'hello', '-p', 'author'], 2],
      [['init', 'web', '-t', 'helo'], 2],
      [['init', '../web', '-t', 'hello'], 2],
      [['init', 'Web', '-t', 'hello'], 2],
      [['init', 'web'], 2],
      [['init', '-t', 'hello'], 2],
      [['init', 'web', '-t', 'ext::sh -c touch% pwned'], 2],
      [['init', 'web', '-t', './nothing-here'], 2],
    ]
    for (const [args, code] of wrong) {
      const result = await atomctl(...args)
      expect(result.code, args.join(' ')).to.equal(code)
      expect(result.stderr, args.join(' ')).to.contain('[ERROR]').and.to.contain('hint:')
    }
    expect(await filesOf(sandbox)).to.deep.equal([])
  })

  it('suggests the template that was meant', async () => {
    expect((await atomctl('init', 'web', '-t', 'disk-cleanupp')).stderr).to.contain('did you mean disk-cleanup?')
  })

  it('takes a directory with files, modes included, as one piece', async () => {
    await writeDirectoryPackage('source')
    expect((await atomctl('init', 'mine', '-t', './source', '--dir', 'out')).code).to.equal(0)
    expect((await readdir(sandbox.path('out', 'mine'))).toSorted()).to.deep.equal(['mine.wpk.yaml', 'scripts'])
    expect((await stat(sandbox.path('out', 'mine', 'scripts', 'go.sh'))).mode & 0o100).to.equal(0o100)
    expect(await readdir(sandbox.path('out'))).to.deep.equal(['mine'])
    await writeFile(sandbox.path('out', 'mine', 'notes.txt'), 'keep')
    expect((await atomctl('init', 'mine', '-t', './source', '--dir', 'out')).code).to.equal(7)
    expect((await atomctl('init', 'mine', '-t', './source', '--dir', 'out', '--force')).code).to.equal(0)
    expect(await read('out', 'mine', 'notes.txt')).to.equal('keep')
  })

  it('refuses a directory that holds a link or a private key, and leaves nothing behind', async () => {
    const directory = await writeDirectoryPackage('source')
    await symlink('/etc/passwd', join(directory, 'passwd'))
    const linked = await atomctl('init', 'mine', '-t', './source')
    expect(linked.code).to.equal(3)
    expect(linked.stderr).to.contain('cannot be a template')
    expect(await filesOf(sandbox)).to.deep.equal(['source'])
  })

  it('keeps, lists, shows, uses and removes templates of your own', async () => {
    const directory = await writeDirectoryPackage('source')
    expect((await atomctl('templates', 'add', './source')).code).to.equal(0)
    expect((await atomctl('templates', 'add', './source')).code).to.equal(7)
    expect((await atomctl('templates', 'add', './source', '--force')).code).to.equal(0)
    expect((await atomctl('templates', 'list', '-o', 'name')).stdout.split('\n')).to.include.members(['tool', 'hello'])
    await writeFile(join(directory, 'tool.wpk.yaml'), 'changed later')
    const shown = JSON.parse((await atomctl('templates', 'show', 'tool', '-o', 'json')).stdout) as {data: object}
    expect(shown.data).to.include({name: 'tool', origin: 'yours', source: './source'})
    expect(shown.data).to.have.property('files').that.deep.equals(['scripts/go.sh'])
    expect((await atomctl('init', 'mine', '-t', 'tool')).code).to.equal(0)
    expect((await atomctl('templates', 'remove', 'tool')).code).to.equal(0)
    expect((await atomctl('templates', 'remove', 'tool')).code).to.equal(2)
    expect(await readdir(sandbox.path('.atomctl', 'templates'))).to.deep.equal([])
  })

  it('does not let a template of your own take the place of a shipped one, or a name leave its directory', async () => {
    await writeDirectoryPackage('source')
    for (const name of ['hello', '../../x', '/tmp/x', 'a/b', '.hidden', 'CON']) {
      expect((await atomctl('templates', 'add', './source', '--name', name)).code, name).to.equal(2)
      expect((await atomctl('templates', 'remove', name)).code, name).to.equal(2)
    }
    expect((await filesOf(sandbox)).concat(await readdir(sandbox.path('.atomctl')).catch(() => []))).to.deep.equal([
      'source',
    ])
  })

  it('says which template of your own is broken and goes on', async () => {
    await writeDirectoryPackage('source')
    await atomctl('templates', 'add', './source')
    await writeFile(sandbox.path('.atomctl', 'templates', 'tool', 'package', 'tool.wpk.yaml'), 'kind: x\n')
    const {code, stdout, stderr} = await atomctl('templates', 'list')
    expect(code).to.equal(0)
    expect(stdout).to.contain('hello').and.not.to.contain('tool ')
    expect(stderr).to.contain('the template tool cannot be used')
  })

  it('shows the document itself with -o wide, its control characters defused', async () => {
    const text = packageText({name: 'odd'}).replace('A test', '"\\e[31mred"').replace('author: The', 'author: The')
    await writeFile(sandbox.path('odd.wpk.yaml'), text)
    const {stdout} = await atomctl('templates', 'show', './odd.wpk.yaml', '-o', 'wide')
    expect(stdout).to.contain('kind: WorkflowPackage').and.not.to.contain('\u001B')
  })

  describe('from a git repository', () => {
    let url: string
    beforeEach(async function () {
      if (!hasGit) return this.skip()
      await writeDirectoryPackage('repository', 'tools', 'tool')
      await writeFile(sandbox.path('repository', 'one.wpk.yaml'), packageText({name: 'one'}))
      const repository = sandbox.path('repository')
      git(repository, 'init')
      git(repository, 'add', '.')
      git(repository, 'commit', '-m', 'one')
      git(repository, 'tag', 'v1')
      await writeFile(sandbox.path('repository', 'one.wpk.yaml'), packageText({name: 'two'}))
      await symlink('/etc', sandbox.path('repository', 'out'))
      git(repository, 'add', '.')
      git(repository, 'commit', '-m', 'two')
      url = pathToFileURL(repository).href
    })

    it('takes a path in it, at a branch or a tag', async () => {
      expect((await atomctl('init', 'mine', '-t', `${url}#:tools/tool`)).code).to.equal(0)
      expect(await readdir(sandbox.path('mine'))).to.have.members(['mine.wpk.yaml', 'scripts'])
      expect((await atomctl('templates', 'add', `${url}#v1:one.wpk.yaml`)).stdout).to.contain('Template added: one')
      expect((await atomctl('templates', 'add', `${url}#main:one.wpk.yaml`)).stdout).to.contain('Template added: two')
    })

    it('takes no path that leads out of it, and no file that is a link', async () => {
      const {code, stderr} = await atomctl('init', 'mine', '-t', `${url}#:out`)
      expect(code).to.equal(2)
      expect(stderr).to.contain('leads out of the repository')
      expect((await atomctl('init', 'mine', '-t', url)).code).to.equal(3)
      expect(await filesOf(sandbox)).to.deep.equal(['repository'])
    })

    it("runs no hook, whatever the person's git template says, and works inside a hook of another repository", async () => {
      const hooks = sandbox.path('git-template', 'hooks')
      await mkdir(hooks, {recursive: true})
      await writeFile(join(hooks, 'post-checkout'), `#!/bin/sh\ntouch ${sandbox.path('pwned')}\n`, {mode: 0o755})
      const env = {GIT_TEMPLATE_DIR: sandbox.path('git-template'), GIT_DIR: sandbox.path('elsewhere')}
      const result = await sandbox.atomctl(['init', 'mine', '-t', `${url}#:one.wpk.yaml`], {env})
      expect(result.code, result.stderr).to.equal(0)
      expect(await filesOf(sandbox)).to.deep.equal(['git-template', 'mine.wpk.yaml', 'repository'])
    })

    it("says git's own words when it cannot be cloned", async () => {
      const {code, stderr} = await atomctl('init', 'mine', '-t', `${url}-missing`)
      expect(code).to.equal(9)
      expect(stderr)
        .to.contain('git could not clone')
        .and.to.match(/does not (exist|appear)/)
      expect((await atomctl('init', 'mine', '-t', `${url}#nosuch:one.wpk.yaml`)).stderr).to.contain('nosuch')
    })
  })

  it('asks on a terminal for what is missing, again when the answer cannot be', async function () {
    if (!hasScript) return this.skip()
    const {status, output} = await answer([
      [/Template \[hello\]: $/, 'restart'],
      [/Name of the package \[restart\]: $/, 'Not A Name'],
      [/must be lower-case[^]*Name of the package \[restart\]: $/, 'web'],
      [/Author \[.*\]: $/, 'Ada'],
      [/namespace \(.*\): $/, 'staging'],
      [/deployment \(.*\): $/, ''],
    ])
    expect(status, output).to.equal(0)
    const text = await read('web.wpk.yaml')
    expect(text).to.contain('author: "Ada"').and.to.contain('default: "staging"')
    expect(text.match(/^ {6}required: true/gm)).to.have.length(1)
  })

  /** Runs `init` on a terminal and types each answer when its question is there. */
  async function answer(dialogue: [question: RegExp, answer: string][]): Promise<{status: number; output: string}> {
    const env = {PATH: process.env['PATH'], HOME: sandbox.home, CI: 'false', NO_COLOR: '1', TERM: 'dumb'}
    const child = spawn('script', ['-qec', `${process.execPath} ${ATOMCTL} init`, '/dev/null'], {
      env,
      cwd: sandbox.home,
    })
    const left = [...dialogue]
    let output = ''
    let seen = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += String(chunk)
      seen += String(chunk)
      if (!left[0]?.[0].test(seen)) return
      child.stdin.write(`${left.shift()?.[1]}\n`)
      seen = ''
    })
    const [status] = (await once(child, 'close')) as [number]
    return {status, output}
  }
})
