import {mkdir, mkdtemp, readdir, readFile, rename, rm} from 'node:fs/promises'
import {join} from 'node:path'
import {type Environment, homeOf} from '@atomctl/sdk/config'
import {AtomError} from '@atomctl/sdk/errors'
import {writeFailure} from '@atomctl/sdk/files'
import {writeTemplate} from './copy.ts'
import {nameProblem} from './names.ts'
import {readTemplate, type Template} from './template.ts'

const NOTE = 'source.json'
const PACKAGE = 'package'

/** The person's own templates: one directory each, with a note on where it came from and the package itself. */
export class TemplateStore {
  readonly #directory: string

  constructor(environment: Environment) {
    this.#directory = join(homeOf(environment), 'templates')
  }

  async names(): Promise<string[]> {
    const entries = await readdir(this.#directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    return entries.filter((name) => nameProblem(name) === undefined).toSorted()
  }

  async read(name: string): Promise<Template> {
    const source = await readSourceNote(join(this.#directory, name, NOTE))
    return readTemplate(join(this.#directory, name, PACKAGE), {name, origin: 'yours', source: source ?? name})
  }

  /**
   * Keeps a copy of a template under a name: complete, or not at all.
   * @throws OUTPUT_EXISTS, OUTPUT_FAILED
   */
  async add(template: Template, name: string, force: boolean): Promise<void> {
    const target = join(this.#directory, name)
    if (!force && (await this.names()).includes(name)) {
      throw new AtomError('OUTPUT_EXISTS', `there is a template named ${name} already`, {
        hint: 'add --force to replace it, or --name to give this one another name',
      })
    }
    await mkdir(this.#directory, {recursive: true, mode: 0o700})
    const staging = await mkdtemp(join(this.#directory, '.adding-'))
    try {
      await writeTemplate(template, join(staging, 'new', PACKAGE), JSON.stringify({source: template.source}), NOTE)
      await rename(target, join(staging, 'old')).catch(ignoreMissing)
      await rename(join(staging, 'new'), target)
    } catch (error) {
      throw writeFailure(target, error)
    } finally {
      await rm(staging, {recursive: true, force: true})
    }
  }

  /** @throws INPUT_MISSING when there is none */
  async remove(name: string): Promise<void> {
    if (!(await this.names()).includes(name)) {
      throw new AtomError('INPUT_MISSING', `you have no template named ${JSON.stringify(name)}`, {
        hint: 'atomctl templates list',
      })
    }
    await rm(join(this.#directory, name), {recursive: true, force: true})
  }
}

/** Where the template came from; it is usable without knowing. */
async function readSourceNote(path: string): Promise<string | undefined> {
  try {
    const {source} = JSON.parse(await readFile(path, 'utf8')) as {source?: unknown}
    return typeof source === 'string' ? source : undefined
  } catch {
    return undefined
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error
}
