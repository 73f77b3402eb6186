import {execFile} from 'node:child_process'
import {mkdir, writeFile} from 'node:fs/promises'
import {delimiter, dirname} from 'node:path'
import {ATOMCTL, type RunResult, type Sandbox} from './atomctl.ts'

/** Runs a script in bash with the sandbox's home, and with `atomctl` and npm on the PATH. */
export async function runBash(
  sandbox: Sandbox,
  script: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<RunResult> {
  const folder = await installWrapper(sandbox)
  const path = [folder, dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter)
  const options = {cwd: sandbox.home, env: {PATH: path, HOME: sandbox.home, CI: '1', NO_COLOR: '1', ...env}}
  return new Promise((resolve) => {
    execFile('bash', ['-c', script, 'bash', ...args], options, (error, stdout, stderr) =>
      resolve({code: error ? Number(error.code ?? 1) : 0, signal: null, stdout, stderr}),
    )
  })
}

/** `atomctl` as an installation would put it on the PATH. */
async function installWrapper(sandbox: Sandbox): Promise<string> {
  const folder = sandbox.path('bin')
  await mkdir(folder, {recursive: true})
  await writeFile(`${folder}/atomctl`, `#!/bin/sh\nexec "${process.execPath}" "${ATOMCTL}" "$@"\n`, {mode: 0o755})
  return folder
}
