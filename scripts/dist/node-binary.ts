import {existsSync, mkdirSync, readFileSync, renameSync, rmSync} from 'node:fs'
import {join} from 'node:path'
import {ROOT} from '../rooms.ts'
import {runProgram} from './program.ts'
import type {Target} from './targets.ts'

/** The Node that goes into the archives: the one that npm ci installed and the tests run under. */
export const NODE_VERSION = (
  JSON.parse(readFileSync(join(ROOT, 'node_modules', 'node', 'package.json'), 'utf8')) as {version: string}
).version

/**
 * Node's executable for a target, fetched once through npm (whose registry vouches for its integrity) and kept in
 * tmp/cache, where `oclif pack` looks for it too.
 */
export function nodeBinary({name, nodePackage, executable}: Target): string {
  const folder = join(ROOT, 'tmp', 'cache', `node-v${NODE_VERSION}-${name}`)
  const binary = join(folder, executable)
  if (existsSync(binary)) return binary
  const download = `${folder}.part`
  rmSync(download, {recursive: true, force: true})
  mkdirSync(download, {recursive: true})
  const file = `${nodePackage}-${NODE_VERSION}.tgz`
  runProgram('npm', ['pack', '--silent', '--pack-destination', download, `${nodePackage}@${NODE_VERSION}`])
  const member = `package/bin/${executable}`
  runProgram('tar', ['-xzf', join(download, file), '-C', download, '--strip-components=2', member])
  rmSync(join(download, file))
  rmSync(folder, {recursive: true, force: true})
  renameSync(download, folder)
  return binary
}
