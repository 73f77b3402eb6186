import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import {createRequire, Module} from 'node:module'
import {basename, dirname, join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {Script} from 'node:vm'

const OTHERS_MAY_WRITE = 0o022
/** Milliseconds in which a bundle was given to no other command. */
const LONGEST_UNCHANGED = 30 * 24 * 60 * 60_000

/**
 * Loads the bundle's CommonJS files with the bytecode that V8 made of them in an earlier run of the same command.
 * Node's own compile cache holds a file as it was just after loading, without the functions that a command then calls,
 * and these are most of what a start compiles. V8 refuses what another version or other flags made; `folder` names the
 * bundle, since of the source V8 compares only the length. Whoever can write such a file can run code here: it is read
 * only when it is the user's own, and nobody else may write it.
 */
export class CodeCache {
  readonly #folder: string
  readonly #made: (() => void)[] = []

  /** @param folder an absolute path that ends in a folder for this bundle and Node, and in it one for this command */
  constructor(folder: string) {
    this.#folder = folder
    // after an error, what a run that ends well needs was not all called
    process.on('exit', (code) => {
      if (code === 0) for (const keep of this.#made) keep()
    })
  }

  /** The exports of a file that scripts/bundle.ts wrote; those it requires by a relative path are loaded like it. */
  load(file: string): unknown {
    const load = createRequire(file)
    const known = load.cache[file]
    if (known) return known.exports
    const module = new Module(file)
    module.filename = file
    load.cache[file] = module
    const own = (name: string): unknown => (name.startsWith('./') ? this.load(join(dirname(file), name)) : load(name))
    // stands for `import()`, which a script compiled by hand has not; packages and Node's own modules load sooner so
    const dynamic = async (name: string): Promise<unknown> => (name.startsWith('file:') ? import(name) : own(name))
    this.#compile(file)(module.exports, Object.assign(own, load), module, file, dirname(file), dynamic)
    module.loaded = true
    return module.exports
  }

  #compile(file: string): (...parameters: unknown[]) => void {
    const path = join(this.#folder, `${basename(file)}.code`)
    const {source, code: cachedData} = readBoth(file, path)
    const script = new Script(source, {filename: pathToFileURL(file).href, ...(cachedData && {cachedData})})
    if (!cachedData || script.cachedDataRejected) this.#made.push(() => keep(path, script.createCachedData()))
    return script.runInThisContext() as (...parameters: unknown[]) => void
  }
}

/**
 * The source, which scripts/bundle.ts writes in ASCII, and its code. They are read into one block of memory, one after
 * the other: a page that is touched for the first time costs more than what is read into it.
 */
function readBoth(file: string, path: string): {source: string; code: Buffer | undefined} {
  const compiled = attempt(() => openOwn(path))
  const bundled = openSync(file, 'r')
  try {
    const size = fstatSync(bundled).size
    const block = Buffer.allocUnsafeSlow(Math.max(size, compiled?.size ?? 0))
    const source = block.toString('latin1', 0, readSync(bundled, block, 0, size, 0))
    const code = compiled && attempt(() => block.subarray(0, readSync(compiled.file, block, 0, compiled.size, 0)))
    return {source, code}
  } finally {
    closeSync(bundled)
    if (compiled) closeSync(compiled.file)
  }
}

/** Whole or not at all; where nothing can be written, the next run compiles again. */
function keep(path: string, code: Buffer): void {
  attempt(() => {
    const unfinished = `${path}.${process.pid}`
    const folder = dirname(path)
    const made = mkdirSync(folder, {recursive: true, mode: 0o700})
    // the first of this bundle: what older ones left is of no use to anybody after a while
    if (made !== undefined && made !== folder) removeOld(dirname(dirname(folder)))
    try {
      writeFileSync(unfinished, code, {mode: 0o600, flag: 'wx'})
      renameSync(unfinished, path)
    } finally {
      rmSync(unfinished, {force: true})
    }
  })
}

function removeOld(folder: string): void {
  for (const name of readdirSync(folder)) {
    const bundle = join(folder, name)
    if (statSync(bundle).mtimeMs < Date.now() - LONGEST_UNCHANGED) rmSync(bundle, {recursive: true, force: true})
  }
}

/** A file of this user that no other may write; anything else is as good as none. */
function openOwn(path: string): {file: number; size: number} | undefined {
  const file = openSync(path, 'r')
  const {uid, mode, size} = fstatSync(file)
  if (process.getuid === undefined || (uid === process.getuid() && (mode & OTHERS_MAY_WRITE) === 0)) return {file, size}
  closeSync(file)
  return undefined
}

/** A start that is a little slower is no reason to fail, or to say anything. */
function attempt<T>(task: () => T): T | undefined {
  try {
    return task()
  } catch {
    return undefined
  }
}
