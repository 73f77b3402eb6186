import {createHash} from 'node:crypto'
import {existsSync, mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {delimiter, join} from 'node:path'
import {fileURLToPath} from 'node:url'
import {expect} from 'chai'
import type {ArchiveFileInfo} from '@atomctl/wpk/archive'
import {loadDocument, type WpkDocument} from '@atomctl/wpk/document'
import {type AtomError, isAtomError} from '@atomctl/wpk/errors'
import {generateKeyPair, type KeyPair, loadSigner, type Signer} from '@atomctl/wpk/signing'

export const PASSWORD = 'correct horse'

export const TEXT = `# Restarts what is not healthy.
apiVersion: v1
kind: WorkflowPackage
metadata:
  name: restart-unhealthy
  version: "1.2.3"   # keep in step with the changelog
  description: 'Restarts "unhealthy" pods: café'
  author: SRE
  created: "2024-01-15T10:00:00Z"
spec:
  runtime: {type: shell}
  safety: {mode: manual}
  handlers:
    - name: restart
      type: shell
      config:
        command: |
          echo restarting
`

export function documentOf(text: string = TEXT): WpkDocument {
  return loadDocument(Buffer.from(text), 'restart-unhealthy.wpk.yaml')
}

export interface TestKey extends KeyPair {
  readonly signer: Signer
}

const keys = new Map<string, Promise<TestKey>>()

/** A key pair made once per test run: deriving its password's key is slow by design. */
export function testKey(name: string): Promise<TestKey> {
  const made = keys.get(name) ?? makeKey()
  keys.set(name, made)
  return made
}

async function makeKey(): Promise<TestKey> {
  const pair = await generateKeyPair(PASSWORD)
  return {...pair, signer: await loadSigner(pair.privateKeyPem, PASSWORD)}
}

export function fileOf(path: string, content: string, exec = false): ArchiveFileInfo {
  const sha256 = createHash('sha256').update(content).digest('hex')
  return {path, size: Buffer.byteLength(content), exec, sha256}
}

export function catchError(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}

/** Asserts an AtomError of this code; gives it back for more. */
export function expectError(error: unknown, code: string, message?: RegExp): AtomError {
  if (!isAtomError(error)) throw new Error(`expected ${code}, got ${String((error as Error | undefined)?.stack)}`)
  expect(error.code, error.message).to.equal(code)
  if (message) expect(error.message).to.match(message)
  return error
}

export async function rejection(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** A directory of its own for one test file; gone afterwards. */
export function scratchDirectory(): {
  path(name: string): string
  write(name: string, content: string | Uint8Array): string
} {
  let directory = ''
  before(() => void (directory = mkdtempSync(join(tmpdir(), 'wpk-'))))
  after(() => rmSync(directory, {recursive: true, force: true}))
  const path = (name: string): string => join(directory, name)
  const write = (name: string, content: string | Uint8Array): string => {
    writeFileSync(path(name), content)
    return path(name)
  }
  return {path, write}
}

const repository = fileURLToPath(new URL('../../../../', import.meta.url))

/** The folder of shared test vectors, when this machine has it. */
export function findVectors(): string | undefined {
  const folder = process.env['ATOMCTL_VECTORS'] ?? join(repository, '..', 'shared', 'vectors')
  return existsSync(join(folder, 'cosign', 'index.json')) ? folder : undefined
}

/** A real cosign: ATOMCTL_COSIGN, the PATH, or what scripts/install-peers.sh installed. */
export function findCosign(): string | undefined {
  const named = process.env['ATOMCTL_COSIGN']
  const onPath = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'cosign'))
  const candidates = [...(named ? [named] : []), ...onPath, join(repository, '.peers', 'usr', 'bin', 'cosign')]
  return candidates.find((file) => existsSync(file))
}
