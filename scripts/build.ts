import {existsSync, rmSync} from 'node:fs'
import {join, relative} from 'node:path'
import {pathToFileURL} from 'node:url'
import {bundle} from './bundle.ts'
import {writeManifests} from './manifests.ts'
import {runNode, runTool} from './process.ts'
import {writeReference} from './reference.ts'
import {writeManual} from './manual.ts'
import {listFiles, listRooms, ROOT, type Room} from './rooms.ts'

/** Compiles what changed, prepares the database, bundles the CLI, then makes what is generated: manifests, command reference, JSON Schema. */
export async function build(): Promise<void> {
  for (const room of listRooms()) removeOrphans(room)
  const code = await runTool('tsc', 'typescript', ['-b'])
  if (code !== 0) throw new Error('the TypeScript sources do not compile')
  await prepareDatabase()
  await bundle()
  await writeManifests()
  await writeReference()
  writeManual()
}

/** The embedded database's first start unpacks this instead of running initdb, which takes seconds. */
async function prepareDatabase(): Promise<void> {
  const {templateFile} = (await import(pathToFileURL(join(ROOT, 'services/storage/lib/template.js')).href)) as Template
  if (existsSync(await templateFile())) return
  const code = await runNode([join(ROOT, 'services/storage/lib/prepare.js')])
  if (code !== 0) throw new Error('the data directory of the embedded database could not be prepared')
}

interface Template {
  templateFile(): Promise<string>
}

/** tsc leaves the output of a deleted source behind; oclif would go on offering it as a command. */
function removeOrphans({sources, output}: Room): void {
  const kept = new Set(listFiles(sources, '.ts').map((path) => relative(sources, path).replace(/\.ts$/, '')))
  for (const path of [...listFiles(output, '.js'), ...listFiles(output, '.d.ts')]) {
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
