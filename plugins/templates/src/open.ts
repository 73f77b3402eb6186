import {join} from 'node:path'
import type {AtomContext} from '@atomctl/sdk/context'
import {downloadPackage} from '@atomctl/sdk/download'
import {verifyWorkflow} from '@atomctl/sdk/enforcement'
import {AtomError} from '@atomctl/sdk/errors'
import {inputFailure, readHead, streamOf} from '@atomctl/sdk/files'
import {suggestName} from '@atomctl/sdk/suggest'
import {stat} from 'node:fs/promises'
import {cloneRepository} from './git.ts'
import {parseReference} from './reference.ts'
import {readShipped, shippedNames} from './shipped.ts'
import {TemplateStore} from './store.ts'
import {type OpenTemplate, type Origin, readTemplate, type Template} from './template.ts'
import {openWorkspace} from './workspace.ts'

/**
 * Finds the template that a name, a path, a git URL or a workflow ID means. What comes from a registry is verified
 * against the trust policy like any package; what comes from elsewhere is only text that the person will sign.
 * @throws USAGE, INPUT_MISSING with a suggestion, UNAVAILABLE, WPK_INVALID, and what verifying throws
 */
export async function openTemplate(text: string, context: AtomContext): Promise<OpenTemplate> {
  const reference = parseReference(text)
  if (reference.kind === 'name') return {template: await readNamed(reference.name, context), ...nothingToRemove}
  await using stack = new AsyncDisposableStack()
  const workspace = stack.use(await openWorkspace())
  const {directory} = workspace
  const template = await context.interruption.defer(async () => {
    if (reference.kind === 'path') return readPath(reference.path, directory, {origin: 'directory', source: text})
    if (reference.kind === 'registry') return readRegistry(reference.id, directory, context)
    const {environment, interruption} = context
    const clone = join(directory, 'repository')
    const path = await cloneRepository(reference, clone, {environment, signal: interruption.signal})
    return readPath(path, directory, {origin: 'git', source: text})
  })
  const kept = stack.move()
  return {template, [Symbol.asyncDispose]: () => kept.disposeAsync()}
}

const nothingToRemove = {[Symbol.asyncDispose]: async (): Promise<void> => {}}

async function readNamed(name: string, {environment}: AtomContext): Promise<Template> {
  const store = new TemplateStore(environment)
  const [shipped, own] = await Promise.all([shippedNames(), store.names()])
  if (shipped.includes(name)) return readShipped(name)
  if (own.includes(name)) return store.read(name)
  const nearest = suggestName(name, [...shipped, ...own])
  throw new AtomError('INPUT_MISSING', `there is no template named ${name}`, {
    hint: nearest === undefined ? 'atomctl templates list' : `did you mean ${nearest}? atomctl templates list`,
  })
}

async function readRegistry(id: string, directory: string, context: AtomContext): Promise<Template> {
  const workflow = await verifyWorkflow(id, context)
  const {file} = await downloadPackage(workflow, context, {path: join(directory, 'download'), force: false})
  return readPath(file, directory, {origin: 'registry', source: id})
}

/** A document, a directory with one, or a tarball. */
async function readPath(path: string, directory: string, named: {origin: Origin; source: string}): Promise<Template> {
  const info = await stat(path).catch((error: unknown) => {
    throw inputFailure(path, error)
  })
  if (!info.isFile()) return readTemplate(path, named)
  const {extractArchive, isArchive} = await import('@atomctl/wpk/archive')
  if (!isArchive(await readHead(path))) return readTemplate(path, named)
  const extracted = join(directory, 'extracted')
  await extractArchive(streamOf(path), extracted)
  return readTemplate(extracted, named)
}
