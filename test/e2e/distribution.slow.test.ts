import {type SpawnSyncReturns, spawnSync} from 'node:child_process'
import {hash} from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import {tmpdir} from 'node:os'
import {delimiter, join, relative} from 'node:path'
import {fileURLToPath} from 'node:url'
import {gunzipSync} from 'node:zlib'
import {expect} from 'chai'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const EXAMPLE = 'restart-unhealthy.wpk.yaml'
const VERSION = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {version: string}).version

// The release as `npm run dist` makes it, used on machines without Node, without a network and without the services.
describe('the release', function () {
  this.timeout(500_000)
  let folder: string
  let out: string

  before(function () {
    if (process.platform !== 'linux' || process.arch !== 'x64') this.skip() // what runs here is made for linux-x64
    if (spawnSync('dpkg-deb', ['--version']).status !== 0) {
      process.stderr.write('      no dpkg-deb: the release is not made\n')
      this.skip()
    }
    folder = mkdtempSync(join(tmpdir(), 'atomctl-release-'))
    out = join(folder, 'out')
    const key = join(folder, 'release')
    expectSuccess(run(process.execPath, [join(ROOT, 'bin/run.js'), 'keys', 'generate', '--output-key-prefix', key]))
    const script = join(ROOT, 'scripts/dist/release.ts')
    expectSuccess(run(process.execPath, [script, '--no-build', '--out', out, '--key', `${key}.key`]))
  })
  after(() => {
    if (folder !== undefined) rmSync(folder, {recursive: true, force: true})
  })

  const artifact = (name: string): string => join(out, name)

  /** A place with a home and an example, and atomctl of one installation in it. */
  function placeFor(name: string, command: readonly string[], path = '/nonexistent') {
    const place = join(folder, name)
    mkdirSync(join(place, 'home'), {recursive: true})
    copyFileSync(join(ROOT, 'examples', EXAMPLE), join(place, EXAMPLE))
    const env = {PATH: path, HOME: join(place, 'home'), COSIGN_PASSWORD: 'secret'}
    const [program = '', ...first] = command
    return (...args: string[]) => spawnSync(program, [...first, ...args], {cwd: place, env, encoding: 'utf8'})
  }

  function run(program: string, args: readonly string[], cwd = folder, more: Readonly<Record<string, string>> = {}) {
    const env = {...process.env, HOME: folder, COSIGN_PASSWORD: 'secret', CI: '1', ...more}
    return spawnSync(program, args, {cwd, env, encoding: 'utf8'})
  }

  function unpack(archive: string, into: string): void {
    mkdirSync(into, {recursive: true})
    expectSuccess(run('tar', ['-xzf', archive, '-C', into]))
  }

  it('has checksums that hold, a bill of materials for each artifact, and signatures that verify', () => {
    expectSuccess(run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], out))
    const sums = readFileSync(artifact('SHA256SUMS'), 'utf8').trimEnd().split('\n')
    const names = sums.map((line) => line.slice(66))
    const artifacts = names.filter((name) => !name.endsWith('.cdx.json'))
    expect(artifacts).to.have.length(7)
    const missing = artifacts.filter((name) => !names.includes(`${name}.cdx.json`))
    expect(missing).to.deep.equal([])
    for (const name of ['SHA256SUMS', ...names]) {
      const bundle = artifact(`${name}.sigstore.json`)
      const args = ['verify', artifact(name), '--bundle', bundle, '--key', join(folder, 'release.pub')]
      expectSuccess(run(process.execPath, [join(ROOT, 'bin/run.js'), ...args]))
    }
  })

  it('lists in the bill of materials what is inside: of the client no database, of an archive Node', () => {
    const listed = (name: string): string[] => {
      const bom = JSON.parse(readFileSync(artifact(`${name}.cdx.json`), 'utf8')) as {components: {name: string}[]}
      return bom.components.map((component) => component.name)
    }
    expect(listed(`atomctl-${VERSION}.tgz`))
      .to.include('yaml')
      .and.not.include('@electric-sql/pglite')
    expect(listed(`atomctl-${VERSION}-linux-x64.tar.gz`)).to.include('node')
    expect(listed(`atomctl-services-${VERSION}.tgz`)).to.include('@electric-sql/pglite')
  })

  it('runs from the archive with no Node and nothing on the PATH', () => {
    unpack(artifact(`atomctl-${VERSION}-linux-x64.tar.gz`), join(folder, 'standalone'))
    const atomctl = placeFor('standalone', [join(folder, 'standalone/atomctl/bin/atomctl')])
    expect(expectSuccess(atomctl('--version'))).to.contain(`atomctl/${VERSION} linux-x64`)
    expectTheClientsJob(atomctl)
    const facts = expectSuccess(atomctl('version', '--verbose'))
    expect(facts)
      .to.contain('archive with Node inside')
      .and.to.match(/Commit: [\da-f]{40}/)
      .and.to.contain('Services: not')
  })

  it('says exactly what to type for the services, after which they run from the archive', () => {
    const atomctl = placeFor('standalone', [join(folder, 'standalone/atomctl/bin/atomctl')], '/usr/bin:/bin')
    const refused = atomctl('dev', 'up')
    expect(refused.status).to.equal(6)
    const [, command = ''] = /^hint: (.*)$/m.exec(refused.stderr) ?? []
    expectSuccess(run('sh', ['-c', command], out))
    try {
      expectSuccess(atomctl('dev', 'up', '--registry-port', '0', '--runtime-port', '0'))
      expectSuccess(atomctl('sign', EXAMPLE))
      expect(expectSuccess(atomctl('push', EXAMPLE))).to.contain('WPK pushed successfully')
      expect(expectSuccess(atomctl('version', '--verbose'))).to.contain('Services: installed')
    } finally {
      atomctl('dev', 'down')
    }
  })

  it('is what npm pack makes in the checkout, byte for byte', () => {
    const packed = join(folder, 'packed')
    mkdirSync(packed)
    const said = expectSuccess(run('npm', ['pack', '--json', '--pack-destination', packed], ROOT))
    const file = `atomctl-${VERSION}.tgz`
    expect(said).to.contain(file)
    expect(digestOf(join(packed, file))).to.equal(digestOf(artifact(file)))
  })

  it('installs with npm into an empty prefix without any network, alone and with the services', () => {
    const prefix = join(folder, 'global')
    const place = ['--global', '--prefix', prefix, '--cache', join(folder, 'empty-cache'), '--offline']
    const npm = (file: string) =>
      run('npm', ['install', ...place, '--no-audit', '--no-fund', '--registry', 'http://127.0.0.1:9', file])
    expectSuccess(npm(join(folder, 'packed', `atomctl-${VERSION}.tgz`)))
    expect(existsSync(join(prefix, 'share/man/man1/atomctl-sign.1')), 'its manual page').to.equal(true)
    const binary = join(prefix, 'bin/atomctl')
    const path = [join(process.execPath, '..'), '/usr/bin', '/bin'].join(delimiter)
    const atomctl = placeFor('npm', offline([binary]), path)
    expectTheClientsJob(atomctl)
    const refused = atomctl('dev', 'up', '--registry-port', '0', '--runtime-port', '0')
    expect(refused.status).to.equal(6)
    expect(refused.stderr).to.contain(`hint: npm install -g ./atomctl-services-${VERSION}.tgz`)
    expectSuccess(npm(artifact(`atomctl-services-${VERSION}.tgz`)))
    expect(expectSuccess(atomctl('version', '--verbose')))
      .to.contain('npm package')
      .and.to.contain('Services: installed')
  })

  it('is a Debian package whose command works where it is unpacked', () => {
    const root = join(folder, 'debian')
    for (const name of [`atomctl_${VERSION}_amd64.deb`, `atomctl-services_${VERSION}_all.deb`]) {
      expectSuccess(run('dpkg-deb', ['-x', artifact(name), root]))
    }
    const atomctl = placeFor('deb', [join(root, 'usr/bin/atomctl')])
    expectTheClientsJob(atomctl)
    expect(expectSuccess(atomctl('version', '--verbose')))
      .to.contain('Debian package')
      .and.to.contain('Services: installed')
    const listing = run('dpkg-deb', ['-c', artifact(`atomctl_${VERSION}_amd64.deb`)]).stdout.split('\n')
    expect(listing.filter((line) => line !== '' && !line.includes('root/root'))).to.deep.equal([])
  })

  it('is installed by dpkg, which finds every file unchanged, and removed without a trace', function () {
    if (process.getuid?.() !== 0 || spawnSync('dpkg', ['--version']).status !== 0) {
      process.stderr.write('      no dpkg, or not root: the Debian package is not installed\n')
      this.skip()
    }
    const root = join(folder, 'system')
    mkdirSync(join(root, 'var/lib/dpkg/updates'), {recursive: true})
    mkdirSync(join(root, 'var/lib/dpkg/info'))
    writeFileSync(join(root, 'var/lib/dpkg/status'), '')
    const before = filesOf(root)
    // its dependencies are this machine's, which the empty system in the folder knows nothing of
    const dpkg = (...args: string[]) => run('dpkg', [`--root=${root}`, '--force-depends', ...args])
    expectSuccess(dpkg('-i', artifact(`atomctl_${VERSION}_amd64.deb`)))
    expectSuccess(dpkg('-i', artifact(`atomctl-services_${VERSION}_all.deb`)))
    expect(expectSuccess(dpkg('--verify'))).to.equal('')
    const atomctl = spawnSync('env', ['-i', join(root, 'usr/bin/atomctl'), 'version', '--verbose'], {encoding: 'utf8'})
    expect(expectSuccess(atomctl)).to.contain('Debian package').and.to.contain('Services: installed')
    expect(gunzipSync(readFileSync(join(root, 'usr/share/man/man1/atomctl-sign.1.gz'))).toString()).to.contain('.SH')
    expectSuccess(dpkg('-r', 'atomctl-services', 'atomctl'))
    const left = filesOf(root).filter((path) => !before.includes(path) && !path.startsWith('var/lib/dpkg/'))
    expect(left).to.deep.equal([])
  })

  it('says in its Debian package what Debian asks: fields, sums, modes, no setuid bit', () => {
    const deb = artifact(`atomctl_${VERSION}_amd64.deb`)
    const field = (name: string) => run('dpkg-deb', ['-f', deb, name]).stdout.trim()
    expect(field('Version')).to.equal(VERSION)
    expect(field('Maintainer')).to.match(/^.+ <\S+@\S+>$/)
    expect(field('Description').split('\n').length).to.be.greaterThan(1)
    expect(Number(field('Installed-Size'))).to.be.within(100_000, 200_000)
    const modes = run('dpkg-deb', ['-c', deb]).stdout.trimEnd().split('\n')
    expect(modes.filter((line) => !/^(?:drwxr-xr-x|-rwxr-xr-x|-rw-r--r--|lrwxrwxrwx) /.test(line))).to.deep.equal([])
  })

  it('has the same bytes when it is made again, by another umask, in another zone and language', () => {
    const again = join(folder, 'again')
    const script = join(ROOT, 'scripts/dist/release.ts')
    const command = `umask 077 && exec "$0" "$1" --no-build --target linux-x64 --out "$2"`
    const other = {TZ: 'Asia/Kolkata', LC_ALL: 'C.UTF-8'}
    expectSuccess(run('sh', ['-c', command, process.execPath, script, again], folder, other))
    const made = readdirSync(again).filter((name) => name !== 'SHA256SUMS')
    expect(made).to.have.length(10)
    const different = made.filter((name) => digestOf(join(again, name)) !== digestOf(artifact(name)))
    expect(different).to.deep.equal([])
  })

  // No arm64 machine here: only what lies in the archive is looked at.
  it('has for arm64 the same files and a Node for that machine', () => {
    const listing = (name: string) => run('tar', ['-tzf', artifact(`atomctl-${VERSION}-${name}.tar.gz`)]).stdout
    expect(listing('linux-arm64')).to.equal(listing('linux-x64'))
    unpack(artifact(`atomctl-${VERSION}-linux-arm64.tar.gz`), join(folder, 'arm64'))
    const header = readFileSync(join(folder, 'arm64/atomctl/bin/node')).subarray(0, 20)
    expect(header.subarray(0, 4).toString('latin1')).to.equal('\u007FELF')
    expect(header.readUInt16LE(18), 'e_machine: EM_AARCH64').to.equal(183)
  })

  it('stays small where the services are not needed', () => {
    expect(statSync(artifact(`atomctl-${VERSION}.tgz`)).size).to.be.below(5_000_000)
    expect(Number(run('sh', ['-c', `tar -tzf atomctl-${VERSION}.tgz | wc -l`], out).stdout)).to.be.below(3000)
  })
})

function digestOf(file: string): string {
  return hash('sha256', readFileSync(file))
}

/** Every file and link below a folder, relative to it. */
function filesOf(folder: string): string[] {
  const entries = readdirSync(folder, {recursive: true, withFileTypes: true})
  return entries.flatMap((entry) => (entry.isDirectory() ? [] : [relative(folder, join(entry.parentPath, entry.name))]))
}

/** Validates, makes a key, signs and verifies: what needs neither a service nor a network. */
function expectTheClientsJob(atomctl: (...args: string[]) => SpawnSyncReturns<string>): void {
  expect(expectSuccess(atomctl('validate', EXAMPLE))).to.contain('WPK validation passed')
  expect(expectSuccess(atomctl('explain', 'WPK_UNSIGNED'))).to.contain('exit 10')
  expectSuccess(atomctl('keys', 'generate', '--trust'))
  expectSuccess(atomctl('sign', EXAMPLE))
  expect(expectSuccess(atomctl('verify', EXAMPLE))).to.contain('Signature verified')
  expect(expectSuccess(atomctl('batch', 'validate', EXAMPLE, '-o', 'json'))).to.contain('"ok"')
  expect(expectSuccess(atomctl('templates', 'list'))).to.contain('canary-rollback')
}

/** The command in a network namespace that has not even a loopback, where this user may make one. */
function offline(command: readonly string[]): readonly string[] {
  const namespace = ['/usr/bin/unshare', '-rn']
  return spawnSync(namespace[0] ?? '', ['-rn', 'true']).status === 0 ? [...namespace, ...command] : command
}

function expectSuccess({status, stdout, stderr, error}: SpawnSyncReturns<string>): string {
  expect(status, `${error?.message ?? ''}\n${stdout}\n${stderr}`).to.equal(0)
  return stdout
}
