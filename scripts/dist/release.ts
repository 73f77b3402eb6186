import {mkdirSync, mkdtempSync, rmSync} from 'node:fs'
import {join, resolve} from 'node:path'
import {parseArgs} from 'node:util'
import {build} from '../build.ts'
import {ROOT} from '../rooms.ts'
import {packFolder} from './archive.ts'
import {packDebian, packServicesDebian} from './debian.ts'
import {readBom, signFiles, writeBom, writeSums} from './evidence.ts'
import {runProgram} from './program.ts'
import {CLIENT, stageClient, stageServices, VERSION} from './stage.ts'
import {stageStandalone} from './standalone.ts'
import {type Target, targetsNamed} from './targets.ts'

/** One file of the release, and what it holds. */
interface Artifact {
  readonly file: string
  readonly from: 'client' | 'services'
  readonly hasNode: boolean
}

/** Where things are laid out and where the release goes. */
interface Folders {
  readonly services: string
  readonly work: string
  readonly out: string
}

const USAGE = 'usage: npm run dist -- [--target NAME]… [--out FOLDER] [--key COSIGN.KEY] [--no-build]'

/** Makes everything of a release that can be made here. @throws Error when a part fails; the folder is then incomplete */
async function release(argv: readonly string[]): Promise<void> {
  const {values} = parseArgs({
    args: [...argv],
    options: {
      target: {type: 'string', multiple: true, default: []},
      out: {type: 'string', default: join(ROOT, 'dist')},
      key: {type: 'string'},
      'no-build': {type: 'boolean', default: false},
    },
  })
  const targets = targetsNamed(values.target)
  if (!values['no-build']) await build()
  const out = resolve(values.out)
  mkdirSync(out, {recursive: true})
  mkdirSync(join(ROOT, 'tmp'), {recursive: true})
  const work = mkdtempSync(join(ROOT, 'tmp', 'dist-'))
  try {
    await make({services: join(work, 'services'), work, out}, targets, values.key)
  } finally {
    rmSync(work, {recursive: true, force: true})
  }
}

async function make(folders: Folders, targets: readonly Target[], key: string | undefined): Promise<void> {
  stageClient()
  stageServices(folders.services)
  const artifacts = [
    ...packForNpm(folders),
    ...targets.flatMap((target) => packFor(target, folders)),
    ...servicesDeb(folders),
  ]
  const boms = {client: readBom(CLIENT), services: readBom(folders.services)}
  const files = artifacts.map(({file}) => file)
  files.push(...artifacts.map(({file, from, hasNode}) => writeBom(file, boms[from], hasNode)))
  files.push(writeSums(folders.out, files))
  if (key !== undefined) await signFiles(files, resolve(key))
  for (const file of files) process.stdout.write(`${file}\n`)
}

function packForNpm({services, out}: Folders): Artifact[] {
  const pack = (folder: string) =>
    runProgram('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', out], {cwd: folder})
  pack(ROOT)
  pack(services)
  return [
    {file: join(out, `atomctl-${VERSION}.tgz`), from: 'client', hasNode: false},
    {file: join(out, `atomctl-services-${VERSION}.tgz`), from: 'services', hasNode: false},
  ]
}

function packFor(target: Target, {work, out}: Folders): Artifact[] {
  const parent = join(work, target.name)
  stageStandalone(join(parent, 'atomctl'), target, 'standalone')
  const archive = join(out, `atomctl-${VERSION}-${target.name}.tar.gz`)
  packFolder(parent, 'atomctl', archive)
  rmSync(parent, {recursive: true})
  const artifacts: Artifact[] = [{file: archive, from: 'client', hasNode: true}]
  if (target.debian === undefined) return artifacts
  const deb = join(out, `atomctl_${VERSION}_${target.debian}.deb`)
  stageStandalone(parent, target, 'deb')
  packDebian(parent, target.debian, deb)
  rmSync(parent, {recursive: true})
  return [...artifacts, {file: deb, from: 'client', hasNode: true}]
}

function servicesDeb({services, out}: Folders): Artifact[] {
  const file = join(out, `atomctl-services_${VERSION}_all.deb`)
  packServicesDebian(services, file)
  return [{file, from: 'services', hasNode: false}]
}

try {
  await release(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`dist: ${(error as Error).message}\n${USAGE}\n`)
  process.exitCode = 1
}
