import {execFileSync} from 'node:child_process'
import {createHash} from 'node:crypto'
import {chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {packFolder} from '../../scripts/dist/archive.ts'
import {isShipped} from '../../scripts/dist/pruning.ts'
import {clientClosure, servicesClosure} from '../../scripts/dist/stage.ts'
import {LAUNCHER} from '../../scripts/dist/standalone.ts'
import {targetsNamed} from '../../scripts/dist/targets.ts'
import {buildDate} from '../../scripts/dist/time.ts'

describe('what a release carries', () => {
  it('is for the client neither a server nor an engine nor a database', () => {
    const names = clientClosure().map(({name}) => name)
    expect(names).to.include.members(['@atomctl/plugin-dev', '@atomctl/sdk', '@oclif/core', 'undici', 'yaml'])
    expect(names).not.to.include.members(['fastify'])
    for (const heavy of ['@atomctl/registry', '@atomctl/storage', '@dbos-inc/dbos-sdk', '@electric-sql/pglite', 'pg']) {
      expect(names, heavy).not.to.include(heavy)
    }
  })

  it('is for the services all they load, of their own', () => {
    const names = servicesClosure().map(({name}) => name)
    const needed = ['@atomctl/registry', '@atomctl/wpk', '@dbos-inc/dbos-sdk', '@electric-sql/pglite', 'fastify', 'pg']
    expect(names).to.include.members(needed)
  })

  it('puts our packages where their links are, and names of each only dependencies that come with it', () => {
    const shipped = clientClosure()
    const names = new Set(shipped.map(({name}) => name))
    expect(shipped.find(({name}) => name === '@atomctl/plugin-dev')?.target).to.equal(
      'node_modules/@atomctl/plugin-dev',
    )
    expect(shipped.flatMap(({dependencies}) => dependencies).filter((name) => !names.has(name))).to.deep.equal([])
  })

  it('leaves out tests, documents, sources and maps of others, and never their licences or code', () => {
    const shipped = (path: string): boolean => isShipped('yaml', path)
    expect(
      ['dist/doc/Document.js', 'LICENSE', 'docs/LICENSE.md', 'test.js'].filter((path) => !shipped(path)),
    ).to.deep.equal([])
    expect(
      ['test/a.js', 'docs/a.html', 'src/a.ts', 'dist/a.js.map', 'dist/a.d.ts', 'README.md'].filter(shipped),
    ).to.deep.equal([])
  })

  it('keeps of ours the declarations that plugins compile against, and no others', () => {
    expect(isShipped('@atomctl/sdk', 'lib/command.d.ts')).to.equal(true)
    expect(isShipped('@atomctl/runtime', 'lib/index.d.ts')).to.equal(false)
    expect(isShipped('@atomctl/sdk', 'src/command.ts')).to.equal(false)
    expect(isShipped('@atomctl/sdk', 'test/command.test.ts')).to.equal(false)
    expect(isShipped('@atomctl/plugin-templates', 'templates/x.wpk.yaml')).to.equal(true)
  })
})

describe('how a release is packed', () => {
  it('takes its time from SOURCE_DATE_EPOCH, and refuses one that is no number of seconds', () => {
    expect(buildDate({SOURCE_DATE_EPOCH: '1700000000'}).toISOString()).to.equal('2023-11-14T22:13:20.000Z')
    for (const value of ['', 'yesterday', '-1', '1e9', '1700000000.5']) {
      expect(() => buildDate({SOURCE_DATE_EPOCH: value}), value).to.throw('SOURCE_DATE_EPOCH')
    }
  })

  it('names the targets there are when it is asked for another', () => {
    expect(targetsNamed([]).map(({name}) => name)).to.deep.equal(['linux-x64', 'linux-arm64'])
    expect(() => targetsNamed(['plan9-x64'])).to.throw(/no target plan9-x64; there are linux-x64/)
  })

  it('gives the same bytes for the same files, whatever their times and the umask they were written under', function () {
    if (process.platform !== 'linux') this.skip() // needs GNU tar
    const one = packedDigest(['b', 'a'], 0o600, 1)
    expect(packedDigest(['a', 'b'], 0o644, 2_000_000)).to.equal(one)
  })
})

/** The digest of an archive of files made in this order, with this mode and time. */
function packedDigest(names: readonly string[], mode: number, seconds: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'atomctl-archive-'))
  try {
    mkdirSync(join(folder, 'it'))
    for (const name of names) {
      const file = join(folder, 'it', name)
      writeFileSync(file, name)
      chmodSync(file, mode)
      utimesSync(file, seconds, seconds)
    }
    packFolder(folder, 'it', join(folder, 'it.tar.gz'))
    return createHash('sha256')
      .update(readFileSync(join(folder, 'it.tar.gz')))
      .digest('hex')
  } finally {
    rmSync(folder, {recursive: true})
  }
}

describe('the launcher of an archive', () => {
  let folder: string

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'atomctl-launcher-'))
    mkdirSync(join(folder, 'bin'))
    writeFileSync(join(folder, 'bin/atomctl'), LAUNCHER, {mode: 0o755})
    // in place of Node: it shows what it was given
    writeFileSync(join(folder, 'bin/node'), '#!/bin/sh\nprintf "%s\\n" "${GLIBC_TUNABLES-none}" "$@"\n', {mode: 0o755})
    symlinkSync(join(folder, 'bin/atomctl'), join(folder, 'linked'))
  })
  after(() => rmSync(folder, {recursive: true}))

  function launch(words: string[], env: Record<string, string> = {}): string[] {
    return execFileSync(join(folder, 'linked'), words, {env: {PATH: '/usr/bin:/bin', ...env}, encoding: 'utf8'})
      .trimEnd()
      .split('\n')
  }

  it('finds its Node through a link and hands on every word as it is', () => {
    const words = ['run', 'a b', '', '*', '$HOME']
    expect(launch(words)).to.deep.equal(['none', join(folder, 'bin/run.js'), ...words])
  })

  it('asks for large pages where a key is opened, and what the user asks for comes last', () => {
    const [tunables] = launch(['sign', 'a.wpk.yaml'])
    expect(tunables).to.equal('glibc.malloc.hugetlb=1')
    const [both] = launch(['pack'], {GLIBC_TUNABLES: 'glibc.malloc.hugetlb=0'})
    expect(both).to.equal('glibc.malloc.hugetlb=1:glibc.malloc.hugetlb=0')
    expect(launch([])).to.deep.equal(['none', join(folder, 'bin/run.js')])
  })
})
