import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {fileURLToPath} from 'node:url'

const ROOT = process.env['ATOMCTL_VECTORS'] ?? fileURLToPath(new URL('../../../../shared/vectors', import.meta.url))

/** A folder of outside test data, or undefined with a line that says so; the test then skips itself. */
export function vectorFolder(name: string): string | undefined {
  const folder = `${ROOT}/${name}`
  if (existsSync(folder)) return folder
  console.log(`      no test data at ${folder}: set ATOMCTL_VECTORS`)
  return undefined
}

/** The well-known playbooks by file name. */
export function playbooks(): Map<string, Uint8Array> {
  const folder = vectorFolder('wpk')
  const files = folder ? readdirSync(folder).filter((file) => file.endsWith('.wpk.yaml')) : []
  return new Map(files.map((file) => [file, readFileSync(`${folder}/${file}`)]))
}
