import {execFile} from 'node:child_process'
import {mkdirSync, writeFileSync} from 'node:fs'
import {mkdir, mkdtemp, readFile, rename, rm} from 'node:fs/promises'
import {createRequire} from 'node:module'
import {tmpdir} from 'node:os'
import {dirname, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {promisify} from 'node:util'
import {gunzip} from 'node:zlib'

/** Creates `directory` as a fresh data directory of PGlite; it appears complete or not at all. */
export async function createDataDirectory(directory: string): Promise<void> {
  const partial = `${directory}.partial`
  await rm(partial, {recursive: true, force: true})
  const tar = await promisify(gunzip)(await readTemplate())
  await mkdir(partial, {recursive: true, mode: 0o700})
  unpackTar(tar, partial)
  await rename(partial, directory)
}

/**
 * The template lies in lib/, shipped by the build. A source checkout makes it on first use, there too if that is
 * allowed. Its name holds the version of PGlite: another one may mean another PostgreSQL.
 */
async function readTemplate(): Promise<Uint8Array> {
  const file = await templateFile()
  return readFile(file).catch(async () => {
    await mkdir(dirname(file), {recursive: true}).catch(() => {})
    return makeTemplate(file).then(() => readFile(file), makeTemplateElsewhere)
  })
}

export async function templateFile(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@electric-sql/pglite')
  const {version} = JSON.parse(await readFile(join(dirname(entry), '..', 'package.json'), 'utf8')) as {version: string}
  return fileURLToPath(new URL(`../lib/pgdata-${version}.tar.gz`, import.meta.url))
}

async function makeTemplate(file: string): Promise<void> {
  const script = import.meta.url.replace(/template(\.[jt]s)$/, 'prepare$1')
  await promisify(execFile)(process.execPath, [fileURLToPath(script), file])
}

async function makeTemplateElsewhere(): Promise<Uint8Array> {
  const directory = await mkdtemp(join(tmpdir(), 'atomctl-pgdata-'))
  try {
    const file = join(directory, 'pgdata.tar.gz')
    await makeTemplate(file)
    return await readFile(file)
  } finally {
    await rm(directory, {recursive: true, force: true})
  }
}

const BLOCK = 512

/**
 * POSIX ustar, only what PGlite's own dump holds: directories and plain files with short names. About a thousand
 * small files: writing them synchronously takes 0.1 s at start, when nothing else is being served.
 */
function unpackTar(tar: Uint8Array, directory: string): void {
  for (let offset = 0; offset + BLOCK <= tar.length && tar[offset] !== 0;) {
    const name = join(directory, textAt(tar, offset, 100))
    const size = Number.parseInt(textAt(tar, offset + 124, 12), 8) || 0
    const content = offset + BLOCK
    if (textAt(tar, offset + 156, 1) === '5') mkdirSync(name, {recursive: true, mode: 0o700})
    else writeFileSync(name, tar.subarray(content, content + size), {mode: 0o600})
    offset = content + Math.ceil(size / BLOCK) * BLOCK
  }
}

function textAt(bytes: Uint8Array, offset: number, length: number): string {
  const field = bytes.subarray(offset, offset + length)
  const end = field.indexOf(0)
  return new TextDecoder().decode(end === -1 ? field : field.subarray(0, end)).trim()
}
