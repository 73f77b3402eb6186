import {readFile} from 'node:fs/promises'
import {archiveAttacks} from '../../packages/wpk/test/archive/attacks.ts'
import {gzip, packed, samplePackage, tarOf} from '../../packages/wpk/test/archive/fixtures.ts'
import {documentMember} from '@atomctl/wpk/archive'
import type {Sandbox} from './atomctl.ts'
import {mkdir, writeFile} from 'node:fs/promises'
import {packageText} from './packages.ts'

/** A hostile tarball, and what refusing it is called. */
export interface Attack {
  readonly title: string
  readonly bytes: Uint8Array
  readonly code: string
}

const EXITS: Readonly<Record<string, number>> = {
  ARCHIVE_INVALID: 3,
  ARCHIVE_TOO_LARGE: 3,
  WPK_INVALID: 3,
  WPK_UNREADABLE: 3,
  WPK_UNSIGNED: 10,
  WPK_TAMPERED: 11,
}

export const exitOf = ({code}: Attack): number => EXITS[code] ?? -1

/** The signed document of the sample package (README.md, scripts/run.sh), whose signature covers both files. */
export async function signSample(sandbox: Sandbox, name = 'sample'): Promise<Buffer> {
  const directory = sandbox.path(`folder-${name}`)
  await mkdir(`${directory}/scripts`, {recursive: true})
  await writeFile(`${directory}/${name}.wpk.yaml`, packageText({name}))
  await writeFile(`${directory}/README.md`, '# hi\n')
  await writeFile(`${directory}/scripts/run.sh`, '#!/bin/sh\n', {mode: 0o755})
  const {code, stderr} = await sandbox.atomctl(['sign', directory])
  if (code !== 0) throw new Error(`sign: ${stderr}`)
  return readFile(`${directory}/${name}.wpk.yaml`)
}

/** Archives that are no canonical archives, around a document whose signature is good. */
export async function malformedArchives(document: Uint8Array): Promise<Attack[]> {
  // what does not begin like gzip is read as a document, which is another story
  const found = archiveAttacks(document).filter(([title]) => title !== 'is empty' && title !== 'is no gzip at all')
  return Promise.all(found.map(async ([title, build]) => ({title, bytes: await build(), code: 'ARCHIVE_INVALID'})))
}

/** Canonical archives that are not what was signed. */
export async function forgedArchives(document: Uint8Array, other: Uint8Array): Promise<Attack[]> {
  const text = Buffer.from(document).toString()
  const [readme, script] = samplePackage()
    .filter(({path}) => path !== 'wpk.yaml')
    .toReversed()
  const members = (body: string | Uint8Array, ...rest: unknown[]): Promise<Buffer> =>
    packed([documentMember(Buffer.from(body)), ...(rest as never[])])
  const changed = samplePackage().map((file) => (file.path === 'README.md' ? fileWith('README.md', '# ho\n') : file))
  const inert = samplePackage().map((file) => ({...file, exec: false}))
  const signature = /signature: .*/
  const cases: [string, Promise<Uint8Array>, string][] = [
    ['has a further file', members(document, readme, script, fileWith('zz', 'evil')), 'WPK_TAMPERED'],
    ['lacks a file', members(document, readme), 'WPK_TAMPERED'],
    ['lacks all files', members(document), 'WPK_TAMPERED'],
    ['has a changed file', packed([documentMember(document), ...changed.filter(isFile)]), 'WPK_TAMPERED'],
    [
      'has a file that is no longer executable',
      packed([documentMember(document), ...inert.filter(isFile)]),
      'WPK_TAMPERED',
    ],
    ['has a file under another name', members(document, readme, {...script, path: 'scripts/walk.sh'}), 'WPK_TAMPERED'],
    ['has no signature any more', members(text.replace(signature, 'signature: ""'), readme, script), 'WPK_UNSIGNED'],
    [
      'has the mock signature of other tools',
      members(text.replace(signature, 'signature: "cosign-0123456789abcdef"'), readme, script),
      'WPK_UNSIGNED',
    ],
    ['has another name', members(text.replace(/name: sample$/m, 'name: samples'), readme, script), 'WPK_TAMPERED'],
    [
      'has another version',
      members(text.replace('version: "1.0.0"', 'version: "1.0.1"'), readme, script),
      'WPK_TAMPERED',
    ],
    [
      'has a value of another type',
      members(text.replace('tags: [test]', 'tags: ["test", "x"]'), readme, script),
      'WPK_TAMPERED',
    ],
    [
      'has the signature of another package',
      members(text.replace(signature, signatureIn(other)), readme, script),
      'WPK_TAMPERED',
    ],
  ]
  return Promise.all(cases.map(async ([title, bytes, code]) => ({title, bytes: await bytes, code})))
}

/** 300 MiB of zeros, which gzip makes 300 KiB of, in front of a good document. */
export async function bomb(document: Uint8Array): Promise<Attack> {
  const zeros = Buffer.alloc(300 << 20)
  const tar = await tarOf([
    [{name: 'data'}, zeros as never],
    [{name: 'wpk.yaml'}, Buffer.from(document).toString()],
  ])
  return {title: 'is a bomb', bytes: gzip(tar), code: 'ARCHIVE_TOO_LARGE'}
}

export const isFile = ({path}: {path: string}): boolean => path !== 'wpk.yaml'

export function fileWith(path: string, content: string): ReturnType<typeof samplePackage>[number] {
  return {...documentMember(Buffer.from(content)), path}
}

function signatureIn(document: Uint8Array): string {
  return /signature: .*/.exec(Buffer.from(document).toString())?.[0] ?? ''
}
