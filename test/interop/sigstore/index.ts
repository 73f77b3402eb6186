import {spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {createInterface} from 'node:readline'
import {fileURLToPath} from 'node:url'

const SOURCES = new URL('../../../scripts/sources.mjs', import.meta.url).href
const SERVER = fileURLToPath(new URL('server.ts', import.meta.url))

export const ISSUER = 'https://token.actions.githubusercontent.com'
export const IDENTITY = 'https://github.com/acme/flows/.github/workflows/release.yml@refs/tags/v1.0.0'

/** A running loopback Sigstore and the files that clients need of it. */
export interface LoopbackSigstore extends AsyncDisposable {
  readonly url: string
  readonly trustedRoot: string
  readonly signingConfigs: {readonly 1: string; readonly 2: string}
}

interface Ready {
  readonly url: string
  readonly trustedRoot: object
  readonly signingConfigs: {readonly 1: object; readonly 2: object}
}

/** Starts the Sigstore of `server.ts` on a free port. */
export async function startSigstore(): Promise<LoopbackSigstore> {
  const child = spawn(process.execPath, ['--import', SOURCES, SERVER], {stdio: ['pipe', 'pipe', 'inherit']})
  const exited = once(child, 'exit')
  const lines = createInterface({input: child.stdout})
  const line = await Promise.race([
    once(lines, 'line').then(([text]) => String(text)),
    exited.then(([code]) => Promise.reject(new Error(`the loopback Sigstore exited with ${code}`))),
  ])
  const {url, trustedRoot, signingConfigs} = JSON.parse(line) as Ready
  const folder = mkdtempSync(join(tmpdir(), 'sigstore-'))
  const write = (name: string, content: object): string => {
    writeFileSync(join(folder, name), JSON.stringify(content))
    return join(folder, name)
  }
  return {
    url,
    trustedRoot: write('trusted_root.json', trustedRoot),
    signingConfigs: {1: write('rekor-v1.json', signingConfigs[1]), 2: write('rekor-v2.json', signingConfigs[2])},
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      await exited
      rmSync(folder, {recursive: true, force: true})
    },
  }
}

/** An identity token as the loopback Fulcio takes it: it does not check the signature. */
export function identityToken(claims: Readonly<Record<string, unknown>> = {}): string {
  const now = Math.floor(Date.now() / 1000)
  const payload = {
    aud: 'sigstore',
    iss: ISSUER,
    sub: IDENTITY,
    iat: now,
    exp: now + 600,
    repository: 'acme/flows',
    ref: 'refs/tags/v1.0.0',
    sha: '0'.repeat(40),
    event_name: 'push',
    ...claims,
  }
  const parts = [{alg: 'RS256'}, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  return [...parts, Buffer.from('sig').toString('base64url')].join('.')
}
