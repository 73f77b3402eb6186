import {execFile} from 'node:child_process'
import {existsSync} from 'node:fs'
import {delimiter, join} from 'node:path'
import {promisify} from 'node:util'
import {fileURLToPath} from 'node:url'

const run = promisify(execFile)
const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A real cosign: ATOMCTL_COSIGN, the PATH, or what scripts/install-peers.sh installed; undefined without one. */
export function findCosign(): string | undefined {
  const named = process.env['ATOMCTL_COSIGN']
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'cosign'))
  const candidates = [...(named ? [named] : []), ...onPath, join(ROOT, '.peers', 'usr', 'bin', 'cosign')]
  return candidates.find((file) => existsSync(file))
}

export interface CosignResult {
  readonly code: number
  readonly output: string
}

/** Runs cosign to its end, offline but for the addresses it is given. */
export async function runCosign(cosign: string, args: readonly string[], cwd: string): Promise<CosignResult> {
  const env = {PATH: process.env['PATH'], HOME: cwd, COSIGN_PASSWORD: 'correct horse', COSIGN_YES: 'true'}
  try {
    const {stdout, stderr} = await run(cosign, [...args], {cwd, env})
    return {code: 0, output: stdout + stderr}
  } catch (error) {
    const {code, stdout = '', stderr = ''} = error as {code?: number; stdout?: string; stderr?: string}
    return {code: typeof code === 'number' ? code : 1, output: stdout + stderr}
  }
}
