import {writeFile} from 'node:fs/promises'
import {createInterface} from 'node:readline'
import type {AtomctlProcess, RunResult, Sandbox} from './atomctl.ts'

export type Role = 'reader' | 'operator' | 'approver' | 'admin'

/** Registry and runtime of several people, each with a token of their own, under rules that a test may change. */
export interface SharedServices extends AsyncDisposable {
  /** Runs atomctl as this person. */
  as(person: string, ...args: string[]): Promise<RunResult>
  env(person: string): Record<string, string>
  /** A request of this person to the runtime itself. */
  ask(person: string, path: string, init?: {method?: string; body?: unknown}): Promise<Response>
  /** The safety policy from now on, as YAML. */
  rule(policy: string): Promise<void>
  /** What the services themselves wrote. */
  said(): string
  /** Ends them, with SIGKILL as a crash does. */
  stop(signal?: 'SIGTERM' | 'SIGKILL'): Promise<void>
  /** After `stop`, on the same data and other ports. */
  start(): Promise<void>
}

/** `environment` is that of the services; with a DATABASE_URL in it they use that database. */
export async function serveFor(
  sandbox: Sandbox,
  people: Readonly<Record<string, Role>>,
  environment: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Promise<SharedServices> {
  const rule = (policy: string): Promise<void> => writeFile(sandbox.path('safety.yaml'), policy)
  await rule('{}')
  const lines = Object.entries(people).map(([name, role]) => `${tokenOf(name)} name=${name} role=${role}`)
  await writeFile(sandbox.path('tokens'), `${lines.join('\n')}\n`)
  const store = environment['DATABASE_URL'] === undefined ? ['--data-dir', 'data'] : []
  const ports = ['--registry-port', '0', '--runtime-port', '0', ...store]
  const files = ['--token-file', 'tokens', '--safety-policy', 'safety.yaml']
  const serve = async (): Promise<[AtomctlProcess, Record<string, string>]> => {
    const child = sandbox.spawn(['serve', 'all', ...ports, ...files, ...flags, '-o', 'json'], {env: environment})
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => void (said += chunk))
    return [child, await urlsOf(child, () => said)]
  }
  let said = ''
  let [serving, urls] = await serve()
  const env = (person: string): Record<string, string> => ({...urls, ATOMCTL_AUTH_TOKEN: tokenOf(person)})
  const stop = async (signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> => {
    if (serving.exitCode !== null || serving.signalCode !== null) return
    const exit = new Promise((resolve) => serving.once('exit', resolve))
    serving.kill(signal)
    await exit
  }
  return {
    as: (person, ...args) => sandbox.atomctl(args, {env: env(person)}),
    ask: (person, path, {method, body} = {}) =>
      fetch(new URL(path, urls['ATOMCTL_RUNTIME_URL']), {
        method: method ?? (body === undefined ? 'GET' : 'POST'),
        headers: {
          authorization: `Bearer ${tokenOf(person)}`,
          ...(body === undefined ? {} : {'content-type': 'application/json'}),
        },
        ...(body === undefined ? {} : {body: JSON.stringify(body)}),
      }),
    env,
    rule,
    said: () => said,
    stop,
    start: async () => void ([serving, urls] = await serve()),
    [Symbol.asyncDispose]: () => stop(),
  }
}

function tokenOf(person: string): string {
  return `a-long-token-of-${person}`
}

/** Throws with what they said when the services end before they serve. */
async function urlsOf(serving: AtomctlProcess, said: () => string): Promise<Record<string, string>> {
  for await (const line of createInterface({input: serving.stdout})) {
    // an error is an envelope of many lines
    if (!line.startsWith('{"')) continue
    const {data} = JSON.parse(line) as {data: {registry_url: string; runtime_url: string}}
    return {ATOMCTL_REGISTRY_URL: data.registry_url, ATOMCTL_RUNTIME_URL: data.runtime_url}
  }
  throw new Error(`serve all: ${said()}`)
}
