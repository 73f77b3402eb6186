import {mkdir, mkdtemp, rename, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {Environment} from '@atomctl/sdk/config'
import {AtomError} from '@atomctl/sdk/errors'
import {writeFailure} from '@atomctl/sdk/files'
import {allowsScripts, assertTrusted, rulesFor} from './admission.ts'
import {assertNoConflict, type Taken} from './conflicts.ts'
import {describePlugin, type PluginDescription} from './description.ts'
import {digestFolder} from './folder-digest.ts'
import {packageFolder, pluginsFolder} from './ledger-path.ts'
import {type ApprovedPlugin, readLedger, recordPlugin} from './ledger.ts'
import type {Npm} from './npm.ts'
import {findSigners} from './signer.ts'
import type {Specification} from './specification.ts'
import {fetchTarball, type Tarball} from './tarball.ts'
import {addTrust} from './trust-edit.ts'
import type {TrustList} from './trust-list.ts'

export interface InstallDependencies {
  readonly environment: Environment
  readonly npm: Npm
  readonly lists: readonly TrustList[]
  readonly taken: Taken
}

export interface InstallOptions {
  /** Add exactly this tarball to the user's own list. */
  readonly trust: boolean
  readonly bundle?: string | undefined
  /** The name that has to come, when a plugin is updated. */
  readonly expected?: string
}

/**
 * Fetches a plugin, checks it against the trust lists before it is unpacked, and puts it in place in one step; when
 * anything is wrong, what was installed before stays.
 * @throws PLUGIN_UNTRUSTED, PLUGIN_CHANGED, PLUGIN_CONFLICT, PLUGIN_INVALID, and what npm fails with
 */
export async function installPlugin(
  spec: Specification,
  options: InstallOptions,
  dependencies: InstallDependencies,
): Promise<ApprovedPlugin> {
  const folder = pluginsFolder(dependencies.environment)
  await mkdir(folder, {recursive: true, mode: 0o700}).catch((error: unknown) => {
    throw writeFailure(folder, error)
  })
  const stage = await mkdtemp(join(folder, '.stage-'))
  try {
    return await installIn(stage, spec, options, dependencies)
  } finally {
    await rm(stage, {recursive: true, force: true})
  }
}

async function installIn(
  stage: string,
  spec: Specification,
  {trust, bundle, expected}: InstallOptions,
  dependencies: InstallDependencies,
): Promise<ApprovedPlugin> {
  const {environment, npm} = dependencies
  const tarball = await fetchTarball(spec, join(stage, 'tarball'), bundle, npm)
  if (expected !== undefined && tarball.name !== expected) {
    throw new AtomError('PLUGIN_CHANGED', `${spec.text} is ${tarball.name} now, not ${expected}`)
  }
  const {name, version, integrity} = tarball
  const root = join(pluginsFolder(environment), name.replace('/', '+'))
  const lists = trust ? withExactly(tarball, dependencies.lists) : dependencies.lists
  const signers = await signersOf(tarball, lists, environment)
  const candidate: ApprovedPlugin = {name, version, type: 'user', root, spec: spec.text, integrity, signers}
  await assertTrusted(candidate, lists)
  const tree = await unpack(stage, tarball, allowsScripts(name, lists), npm)
  const description = describePlugin(packageFolder({...candidate, root: tree}), 'user')
  if (description.name !== name || description.version !== version) throw unlike(tarball, description)
  assertNoConflict(description, dependencies.taken, describeInstalled(environment))
  const approved = {...candidate, digest: digestFolder(tree)}
  if (trust) await addTrust(environment, {name, integrity: [integrity]})
  await putInPlace(tree, root)
  await recordPlugin(environment, approved)
  return approved
}

/** The user's own list as it will be: with this tarball, and no other, allowed under its name. */
function withExactly({name, integrity}: Tarball, lists: readonly TrustList[]): TrustList[] {
  return lists.map((list) => (list.own ? {...list, rules: [{name, integrity: [integrity]}, ...list.rules]} : list))
}

async function signersOf(tarball: Tarball, lists: readonly TrustList[], environment: Environment): Promise<string[]> {
  const wanted = lists.flatMap((list) => rulesFor(tarball.name, list).flatMap(({signer}) => (signer ? [signer] : [])))
  if (tarball.bundle === undefined || wanted.length === 0) return []
  return findSigners(tarball.path, tarball.bundle, wanted, environment)
}

/** Unpacks the tarball with its dependencies into a tree of its own, which no other plugin shares. */
async function unpack(stage: string, {path}: Tarball, scripts: boolean, npm: Npm): Promise<string> {
  const tree = join(stage, 'tree')
  await mkdir(tree)
  await writeFile(join(tree, 'package.json'), '{"private":true}\n')
  await npm(['install', ...(scripts ? ['--ignore-scripts=false'] : []), '--', path], tree)
  return tree
}

function unlike({name, version}: Tarball, description: PluginDescription): AtomError {
  const found = `${description.name} ${description.version}`
  return new AtomError('PLUGIN_INVALID', `the tarball of ${name} ${version} unpacks to ${found}`)
}

/** What is installed says of itself; one that cannot be read is no rival. */
export function describeInstalled(environment: Environment): PluginDescription[] {
  return readLedger(environment).flatMap((plugin) => {
    try {
      return [describePlugin(packageFolder(plugin), plugin.type)]
    } catch {
      return []
    }
  })
}

async function putInPlace(tree: string, root: string): Promise<void> {
  const old = `${tree}-old`
  await rename(root, old).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw writeFailure(root, error)
  })
  try {
    await rename(tree, root)
  } catch (error) {
    await rename(old, root).catch(() => {})
    throw writeFailure(root, error)
  }
}
