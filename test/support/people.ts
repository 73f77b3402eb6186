import {writeFile} from 'node:fs/promises'
import {createInterface} from 'node:readline'
import type {AtomctlProcess, RunResult, Sandbox} from './atomctl.ts'

export type Role = 'operator' | 'approver' | 'admin'

/** Registry and runtime of several people, each with a token of their own, under rules that a test may change. */
export interface SharedServices extends AsyncDisposable {
  /** Runs atomctl as this person. */
  as(person: string, ...args: string[]): Promise<RunResult>
  env(person: string): Record<string, string>
  /** The safety policy from now on, as YAML. */
  rule(policy: string): Promise<void>
}

/** `environment` is that of the services. */
export async function serveFor(
  sandbox: Sandbox,
  people: Readonly<Record<string, Role>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<SharedServices> {
  const rule = (policy: string): Promise<void> => writeFile(sandbox.path('safety.yaml'), policy)
  await rule('{}')
  const lines = Object.entries(people).map(([name, role]) => `${tokenOf(name)} name=${name} role=${role}`)
  await writeFile(sandbox.path('tokens'), `${lines.join('\n')}\n`)
  const ports = ['--registry-port', '0', '--runtime-port', '0', '--data-dir', 'data']
  const files = ['--token-file', 'tokens', '--safety-policy', 'safety.yaml']
  const serving = sandbox.spawn(['serve', 'all', ...ports, ...files, '-o', 'json'], {env: environment})
  const urls = await urlsOf(serving)
  const env = (person: string): Record<string, string> => ({...urls, ATOMCTL_AUTH_TOKEN: tokenOf(person)})
  return {
    as: (person, ...args) => sandbox.atomctl(args, {env: env(person)}),
    env,
    rule,
    async [Symbol.asyncDispose]() {
      if (serving.exitCode !== null || serving.signalCode !== null) return
      const exit = new Promise((resolve) => serving.once('exit', resolve))
      serving.kill('SIGTERM')
      await exit
    },
  }
}

function tokenOf(person: string): string {
  return `a-long-token-of-${person}`
}

/** Throws with what they said when the services end before they serve. */
async function urlsOf(serving: AtomctlProcess): Promise<Record<string, string>> {
  let said = ''
  serving.stderr.setEncoding('utf8').on('data', (chunk: string) => void (said += chunk))
  for await (const line of createInterface({input: serving.stdout})) {
    // an error is an envelope of many lines
    if (!line.startsWith('{"')) continue
    const {data} = JSON.parse(line) as {data: {registry_url: string; runtime_url: string}}
    return {ATOMCTL_REGISTRY_URL: data.registry_url, ATOMCTL_RUNTIME_URL: data.runtime_url}
  }
  throw new Error(`serve all: ${said}`)
}
