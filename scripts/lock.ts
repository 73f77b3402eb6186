import {readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {ROOT} from './rooms.ts'

interface LockEntry {
  version?: string
  cpu?: string[]
  dev?: boolean
  libc?: string[]
  optional?: boolean
  os?: string[]
  optionalDependencies?: Record<string, string>
}

export interface Lockfile {
  packages: Record<string, LockEntry>
}

const FILE = join(ROOT, 'package-lock.json')
const PREFIX = 'node_modules/'

export function readLock(): Lockfile {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Lockfile
}

/** Platform packages that a locked package may need and that have no entry: name → version. */
export function findMissing({packages}: Lockfile): Map<string, string> {
  const wanted = Object.values(packages).flatMap((entry) => Object.entries(entry.optionalDependencies ?? {}))
  return new Map(wanted.filter(([name]) => !(PREFIX + name in packages)))
}

/** What npm itself writes for a package of another platform, read off its name: `@oxfmt/binding-linux-x64-musl`. */
export function entryFor(name: string, version: string): LockEntry {
  const platform = /(android|darwin|freebsd|linux|openharmony|win32)-(arm64|arm|ia32|ppc64|riscv64|s390x|x64)(.*)$/
  const [, os, cpu, variant = ''] = platform.exec(name) ?? []
  if (os === undefined || cpu === undefined) throw new Error(`${name} does not say its platform`)
  const libc = os !== 'linux' ? {} : {libc: [variant.includes('musl') ? 'musl' : 'glibc']}
  return {version, cpu: [cpu], dev: true, ...libc, optional: true, os: [os]}
}

/** The lockfile with an entry for every platform package, in npm's order. */
export function completeLock(lock: Lockfile): Lockfile {
  const added = [...findMissing(lock)].map(([name, version]) => [PREFIX + name, entryFor(name, version)] as const)
  const entries = [...Object.entries(lock.packages), ...added]
  return {...lock, packages: Object.fromEntries(entries.toSorted(([a], [b]) => a.localeCompare(b, 'en')))}
}

// A registry mirror without the binaries of some platform makes npm leave them out of package-lock.json without a
// word, and `npm ci` then refuses that file everywhere. Run this after `npm install`.
if (import.meta.main) writeFileSync(FILE, `${JSON.stringify(completeLock(readLock()), null, 2)}\n`)
