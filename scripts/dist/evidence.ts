import {createHash} from 'node:crypto'
import {readFileSync, writeFileSync} from 'node:fs'
import {basename, join} from 'node:path'
import {runNode} from '../process.ts'
import {ROOT} from '../rooms.ts'
import {NODE_VERSION} from './node-binary.ts'
import {runProgram} from './program.ts'
import {buildDate} from './time.ts'

interface Bom {
  serialNumber?: string
  metadata: {timestamp?: string}
  components: unknown[]
}

/** The bill of materials of a laid-out package (CycloneDX), without the random number and the clock that npm puts in. */
export function readBom(folder: string): Bom {
  const bom = JSON.parse(runProgram('npm', ['sbom', '--sbom-format', 'cyclonedx'], {cwd: folder})) as Bom
  delete bom.serialNumber
  bom.metadata.timestamp = buildDate().toISOString()
  return bom
}

/** Writes `artifact`.cdx.json; with Node's executable listed, where it is inside. */
export function writeBom(artifact: string, bom: Bom, hasNode: boolean): string {
  const node = {
    type: 'application',
    name: 'node',
    version: NODE_VERSION,
    'bom-ref': `node@${NODE_VERSION}`,
    purl: `pkg:generic/node@${NODE_VERSION}`,
  }
  const file = `${artifact}.cdx.json`
  const components = hasNode ? [...bom.components, node] : bom.components
  writeFileSync(file, `${JSON.stringify({...bom, components}, undefined, 2)}\n`)
  return file
}

/** Writes SHA256SUMS, which `sha256sum --check` reads. */
export function writeSums(folder: string, files: readonly string[]): string {
  const lines = files.map((file) => `${digest(file)}  ${basename(file)}\n`)
  const sums = join(folder, 'SHA256SUMS')
  writeFileSync(sums, lines.toSorted().join(''))
  return sums
}

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}

/** Signs each file with atomctl itself: FILE.sigstore.json beside it. The password comes from COSIGN_PASSWORD. */
export async function signFiles(files: readonly string[], key: string): Promise<void> {
  const code = await runNode([join(ROOT, 'bin', 'run.js'), 'sign', '--detached', '--key', key, ...files])
  if (code !== 0) throw new Error('the artifacts could not be signed')
}
