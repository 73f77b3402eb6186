import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {fileURLToPath} from 'node:url'
import {parse} from 'yaml'
import {IDENTITY, ISSUER, type LoopbackSigstore} from '../interop/sigstore/index.ts'
import {ATOMCTL, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {runBash} from '../support/shell.ts'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

export const readYaml = async (path: string): Promise<unknown> => parse(await readFile(`${REPOSITORY}${path}`, 'utf8'))

export interface Step {
  readonly name: string
  readonly env?: Readonly<Record<string, string>>
  readonly run: string
}

export interface Action {
  readonly inputs: Readonly<Record<string, {readonly default: string}>>
  readonly runs: {readonly steps: readonly Step[]}
}

/** What GitHub's runner gives a step: the inputs in its `env`, and files for what it has to say. */
export async function runStep(
  sandbox: Sandbox,
  {inputs}: Action,
  step: Step,
  given: Readonly<Record<string, string>>,
  env: Readonly<Record<string, string>> = {},
): Promise<RunResult> {
  const expand = (text: string): string =>
    text.replaceAll(/\$\{\{ inputs\.([\w-]+) \}\}/g, (_all, name: string) => given[name] ?? inputs[name]?.default ?? '')
  const own = Object.entries(step.env ?? {}).map(([name, value]) => [name, expand(value)])
  const runner = {
    RUNNER_TEMP: sandbox.path('runner'),
    GITHUB_PATH: sandbox.path('github-path'),
    GITHUB_STEP_SUMMARY: sandbox.path('summary.md'),
  }
  return runBash(sandbox, step.run, {...runner, ...env, ...Object.fromEntries(own)})
}

/**
 * A package that stands for atomctl's, since a test asks no npm registry: its command hands over to the built CLI. What
 * is seen with it is the step that packs, checks and installs, not what is installed.
 */
export async function writeStandIn(sandbox: Sandbox): Promise<string> {
  const folder = sandbox.path('stand-in')
  await mkdir(folder, {recursive: true})
  const manifest = {name: 'atomctl', version: '1.0.0', bin: {atomctl: 'run.js'}}
  await writeFile(`${folder}/package.json`, JSON.stringify(manifest))
  const main = `require('node:child_process').execFileSync(process.execPath, [${JSON.stringify(ATOMCTL)}, ...process.argv.slice(2)], {stdio: 'inherit'})`
  await writeFile(`${folder}/run.js`, `#!/usr/bin/env node\n${main}\n`)
  return folder
}

/** Makes the loopback Sigstore's one identity the only one that the sandbox's person, and so its services, trust. */
export async function trustSigstore(sandbox: Sandbox, {trustedRoot}: LoopbackSigstore): Promise<void> {
  const keyless = {trustRoot: 'loopback', issuer: ISSUER, identity: IDENTITY}
  const policy = {
    trustRoots: {loopback: {file: trustedRoot}},
    rules: [{name: 'releases', scope: {packages: ['*']}, signers: [{keyless}]}],
  }
  await mkdir(sandbox.path('.atomctl'), {recursive: true})
  await writeFile(sandbox.path('.atomctl', 'trust-policy.yaml'), JSON.stringify(policy))
}
