import {spawn, type StdioOptions} from 'node:child_process'
import {existsSync, readFileSync} from 'node:fs'
import {dirname, join} from 'node:path'
import {ROOT} from './rooms.ts'

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly stdio?: StdioOptions
}

/** Runs one program under this same Node, without a shell, and resolves to its exit code (1 when a signal ended it). */
export function runNode(
  args: readonly string[],
  {cwd = ROOT, env, stdio = 'inherit'}: RunOptions = {},
): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {cwd, stdio, env: {...process.env, ...env}})
    child.on('error', reject)
    child.on('close', (code) => resolve(code ?? 1))
  })
}

/** The script behind a devDependency's command (`tsc`, `mocha`, …): what npm would link into node_modules/.bin. */
export function toolPath(name: string, packageName: string = name): string {
  const manifest = join(ROOT, 'node_modules', packageName, 'package.json')
  if (!existsSync(manifest)) throw new Error(`${packageName} is not installed: run npm ci`)
  const {bin} = JSON.parse(readFileSync(manifest, 'utf8')) as {bin: string | Record<string, string>}
  const script = typeof bin === 'string' ? bin : bin[name]
  if (!script) throw new Error(`${packageName} has no command named ${name}`)
  return join(dirname(manifest), script)
}

/** Runs a devDependency's command. */
export function runTool(
  name: string,
  packageName: string,
  args: readonly string[],
  options?: RunOptions,
): Promise<number> {
  return runNode([toolPath(name, packageName), ...args], options)
}
