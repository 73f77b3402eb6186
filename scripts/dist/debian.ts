import {createHash} from 'node:crypto'
import {cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {dirname, join, relative} from 'node:path'
import {gzipSync} from 'node:zlib'
import {listFiles} from '../rooms.ts'
import {runProgram} from './program.ts'
import {CLIENT, VERSION} from './stage.ts'
import {buildDate} from './time.ts'

interface DebianPackage {
  readonly name: string
  readonly architecture: string
  readonly depends: string
  /** One line, and the lines under it. */
  readonly description: readonly [string, ...string[]]
  /** What is installed, and where, relative to the root folder. */
  readonly content: string
  readonly place: string
  /** Commands for /usr/bin, each a relative link. */
  readonly links?: Readonly<Record<string, string>>
  /** Manual pages of section 1. */
  readonly manual?: readonly string[]
}

/** The client for one architecture, Node included. Node's own libraries are those of Debian 10 and later. */
export function packDebian(content: string, architecture: string, file: string): void {
  build(file, {
    name: 'atomctl',
    architecture,
    depends: 'libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 6)',
    description: [
      'validate, sign, push and run workflow packages',
      'The command line client for a workflow registry and runtime. Node.js is',
      'inside; nothing is fetched when it is installed or run.',
    ],
    content,
    place: 'usr/lib/atomctl',
    links: {atomctl: '../lib/atomctl/bin/atomctl'},
    manual: listFiles(join(CLIENT, 'lib', 'man'), '.1'),
  })
}

/** The services, in the client's folder, where its plugins find them. */
export function packServicesDebian(content: string, file: string): void {
  build(file, {
    name: 'atomctl-services',
    architecture: 'all',
    depends: `atomctl (= ${VERSION})`,
    description: [
      'the registry and the runtime of atomctl dev and atomctl serve',
      'Found by the client of the same version; starts nothing by itself.',
    ],
    content,
    place: 'usr/lib/atomctl/node_modules/@atomctl/services',
  })
}

function build(file: string, parts: DebianPackage): void {
  const root = `${file}.root`
  rmSync(root, {recursive: true, force: true})
  mkdirSync(dirname(join(root, parts.place)), {recursive: true})
  cpSync(parts.content, join(root, parts.place), {recursive: true})
  const links = Object.entries(parts.links ?? {})
  if (links.length > 0) mkdirSync(join(root, 'usr/bin'), {recursive: true})
  for (const [name, to] of links) symlinkSync(to, join(root, 'usr/bin', name))
  writeDocuments(root, parts)
  writeControl(root, parts)
  // whatever umask the packager has
  runProgram('chmod', ['-R', 'u=rwX,go=rX', root])
  // dpkg-deb takes this time for every file that is newer
  const env = {SOURCE_DATE_EPOCH: String(Math.floor(buildDate().getTime() / 1000))}
  runProgram('dpkg-deb', ['--root-owner-group', '-Zgzip', '--build', root, file], {env})
  rmSync(root, {recursive: true})
}

/** The licence where Debian's policy wants it, and the manual pages, compressed as it wants them. */
function writeDocuments(root: string, {name, manual = []}: DebianPackage): void {
  const documents = join(root, 'usr/share/doc', name)
  mkdirSync(documents, {recursive: true})
  writeFileSync(
    join(documents, 'copyright'),
    'Copyright: The atomctl authors\nLicense: Apache-2.0, in /usr/share/common-licenses/Apache-2.0\n\n' +
      'The licences of what is inside lie beside each part.\n',
  )
  if (manual.length === 0) return
  const pages = join(root, 'usr/share/man/man1')
  mkdirSync(pages, {recursive: true})
  for (const page of manual) {
    writeFileSync(join(pages, `${relative(dirname(page), page)}.gz`), gzipSync(readFileSync(page), {level: 9}))
  }
}

/** What dpkg asks of a package beside its files; `dpkg --verify` compares the files with `md5sums`. */
function writeControl(root: string, parts: DebianPackage): void {
  const files = filesBelow(root).toSorted()
  mkdirSync(join(root, 'DEBIAN'))
  const sums = files.map((file) => `${md5(file)}  ${relative(root, file)}\n`)
  writeFileSync(join(root, 'DEBIAN', 'md5sums'), sums.join(''))
  const blocks = files.map((file) => Math.ceil(lstatSync(file).size / 1024))
  writeFileSync(
    join(root, 'DEBIAN', 'control'),
    control(
      parts,
      blocks.reduce((sum, size) => sum + size, 0),
    ),
  )
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, {withFileTypes: true}).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : entry.isFile() ? [path] : []
  })
}

function md5(file: string): string {
  return createHash('md5').update(readFileSync(file)).digest('hex')
}

/** `size` in KiB, as the files count, not their folders. */
function control({name, architecture, depends, description: [summary, ...more]}: DebianPackage, size: number): string {
  return `Package: ${name}
Version: ${VERSION}
Section: admin
Priority: optional
Architecture: ${architecture}
Installed-Size: ${size}
Depends: ${depends}
Maintainer: The atomctl authors <atomctl@localhost>
Description: ${summary}
${more.map((line) => ` ${line}\n`).join('')}`
}
