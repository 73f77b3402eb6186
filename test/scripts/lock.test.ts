import {expect} from 'chai'
import {completeLock, entryFor, findMissing, readLock} from '../../scripts/lock.ts'

describe('package-lock.json', () => {
  it('has an entry for the binaries of every platform, without which npm ci refuses it (node scripts/lock.ts)', () => {
    expect([...findMissing(readLock()).keys()]).to.deep.equal([])
  })

  it('names no registry host', () => {
    expect(JSON.stringify(readLock())).not.to.include('"resolved":"http')
  })
})

describe('completing a lockfile', () => {
  const lock = {
    packages: {
      '': {},
      'node_modules/tool': {
        version: '1.2.3',
        optionalDependencies: {'tool-darwin-arm64': '1.2.3', 'tool-linux-x64': '1.2.3'},
      },
      'node_modules/tool-linux-x64': {version: '1.2.3'},
    },
  }

  it('adds only what is missing', () => {
    expect(Object.keys(completeLock(lock).packages)).to.deep.equal([
      '',
      'node_modules/tool',
      'node_modules/tool-darwin-arm64',
      'node_modules/tool-linux-x64',
    ])
  })

  it('is idempotent', () => {
    const once = completeLock(lock)
    expect(completeLock(once)).to.deep.equal(once)
  })

  it('reads system, processor and C library off the name', () => {
    expect(entryFor('@oxfmt/binding-linux-x64-musl', '1.0.0')).to.include.deep.keys('libc')
    expect(entryFor('@oxfmt/binding-linux-x64-musl', '1.0.0').libc).to.deep.equal(['musl'])
    expect(entryFor('@oxfmt/binding-linux-arm-gnueabihf', '1.0.0')).to.deep.include({cpu: ['arm'], libc: ['glibc']})
    expect(entryFor('@oxfmt/binding-win32-ia32-msvc', '1.0.0')).to.deep.include({os: ['win32'], cpu: ['ia32']})
  })

  it('refuses a name that does not say its platform, rather than guess', () => {
    expect(() => entryFor('some-addon', '1.0.0')).to.throw('does not say its platform')
  })
})
