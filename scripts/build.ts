import {rmSync} from 'node:fs'
import {join, relative} from 'node:path'
import {bundle} from './bundle.ts'
import {writeManifests} from './manifests.ts'
import {runTool} from './process.ts'
import {writeReference} from './reference.ts'
import {listFiles, listRooms, type Room} from './rooms.ts'

/** Compiles what changed, bundles the CLI, then makes what is generated: manifests, command reference, JSON Schema. */
export async function build(): Promise<void> {
  for (const room of listRooms()) removeOrphans(room)
  const code = await runTool('tsc', 'typescript', ['-b'])
  if (code !== 0) throw new Error('the TypeScript sources do not compile')
  await bundle()
  await writeManifests()
  await writeReference()
}

const CHUNKS = join('lib', 'chunks')

/** tsc leaves the output of a deleted source behind; oclif would go on offering it as a command. */
function removeOrphans({sources, output}: Room): void {
  const kept = new Set(listFiles(sources, '.ts').map((path) => relative(sources, path).replace(/\.ts$/, '')))
  for (const path of [...listFiles(output, '.js'), ...listFiles(output, '.d.ts')].filter(
    (path) => !path.includes(CHUNKS),
  )) {
    if (!kept.has(relative(output, path).replace(/(\.d\.ts|\.js)$/, ''))) rmSync(path)
  }
}

if (import.meta.main) {
  try {
    await build()
  } catch (error) {
    process.stderr.write(`build: ${(error as Error).message}\n`)
    process.exitCode = 1
  }
}
