import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {readTemplate, type Template} from './template.ts'

const DIRECTORY = fileURLToPath(new URL('../templates/', import.meta.url))
const SUFFIX = '.wpk.yaml'

/** Names of the templates that come with atomctl. */
export async function shippedNames(): Promise<string[]> {
  const files = await readdir(DIRECTORY)
  return files
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .toSorted()
}

export async function readShipped(name: string): Promise<Template> {
  const [template, test] = await Promise.all([
    readTemplate(join(DIRECTORY, `${name}${SUFFIX}`), {name, origin: 'atomctl', source: name}),
    readFile(join(DIRECTORY, `${name}.wpktest.yaml`), 'utf8'),
  ])
  return {...template, test}
}
