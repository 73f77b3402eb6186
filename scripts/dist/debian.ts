import {cpSync, mkdirSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {runProgram} from './program.ts'
import {VERSION} from './stage.ts'
import {buildDate} from './time.ts'

interface DebianPackage {
  readonly name: string
  readonly architecture: string
  readonly depends: string
  readonly description: string
  /** What is installed, and where, relative to the root folder. */
  readonly content: string
  readonly place: string
  /** Commands for /usr/bin, each a relative link. */
  readonly links?: Readonly<Record<string, string>>
}

/** The client for one architecture, Node included. Node's own libraries are those of Debian 10 and later. */
export function packDebian(content: string, architecture: string, file: string): void {
  build(file, {
    name: 'atomctl',
    architecture,
    depends: 'libc6 (>= 2.28), libgcc-s1, libstdc++6 (>= 6)',
    description: 'validate, sign, push and run workflow packages',
    content,
    place: 'usr/lib/atomctl',
    links: {atomctl: '../lib/atomctl/bin/atomctl'},
  })
}

/** The services, in the client's folder, where its plugins find them. */
export function packServicesDebian(content: string, file: string): void {
  build(file, {
    name: 'atomctl-services',
    architecture: 'all',
    depends: `atomctl (= ${VERSION})`,
    description: 'the registry and the runtime of atomctl dev and atomctl serve',
    content,
    place: 'usr/lib/atomctl/node_modules/@atomctl/services',
  })
}

// dpkg-deb takes the time of SOURCE_DATE_EPOCH for every file that is newer
function build(file: string, parts: DebianPackage): void {
  const root = `${file}.root`
  rmSync(root, {recursive: true, force: true})
  mkdirSync(join(root, 'DEBIAN'), {recursive: true})
  writeFileSync(join(root, 'DEBIAN', 'control'), control(parts))
  mkdirSync(dirname(join(root, parts.place)), {recursive: true})
  cpSync(parts.content, join(root, parts.place), {recursive: true})
  const links = Object.entries(parts.links ?? {})
  if (links.length > 0) mkdirSync(join(root, 'usr/bin'), {recursive: true})
  for (const [name, to] of links) symlinkSync(to, join(root, 'usr/bin', name))
  // whatever umask the packager has
  runProgram('chmod', ['-R', 'u=rwX,go=rX', root])
  const env = {SOURCE_DATE_EPOCH: String(Math.floor(buildDate().getTime() / 1000))}
  runProgram('dpkg-deb', ['--root-owner-group', '-Zgzip', '--build', root, file], {env})
  rmSync(root, {recursive: true})
}

function control({name, architecture, depends, description}: DebianPackage): string {
  return `Package: ${name}
Version: ${VERSION}
Section: admin
Priority: optional
Architecture: ${architecture}
Depends: ${depends}
Maintainer: The atomctl authors
Description: ${description}
`
}
