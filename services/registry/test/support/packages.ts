import {mkdtemp, rm, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {digestFiles, documentMember, packArchive, type PackageFile} from '@atomctl/wpk/archive'
import {loadDocument} from '@atomctl/wpk/document'
import {generateKeyPair, loadSigner, signDocument, type Signer} from '@atomctl/wpk/signing'
import {addTrustedKey, loadTrustPolicy, type TrustPolicy} from '@atomctl/wpk/trust'

export interface Key {
  readonly signer: Signer
  readonly policy: TrustPolicy
}

/** A new key and the strict policy that trusts only it. */
export async function createKey(): Promise<Key> {
  const directory = await mkdtemp(join(tmpdir(), 'atomctl-key-'))
  try {
    const {signer, policyFile} = await writeKey(directory)
    return {signer, policy: await loadTrustPolicy(policyFile)}
  } finally {
    await rm(directory, {recursive: true, force: true})
  }
}

/** The same with its files in `directory`, for a server in another process. */
export async function writeKey(directory: string): Promise<{signer: Signer; policyFile: string}> {
  const pair = await generateKeyPair('password')
  const policyFile = join(directory, 'trust-policy.yaml')
  await writeFile(join(directory, 'team.pub'), pair.publicKeyPem)
  await writeFile(policyFile, addTrustedKey(undefined, {name: 'team', publicKeyFile: 'team.pub'}))
  return {signer: await loadSigner(pair.privateKeyPem, 'password'), policyFile}
}

export interface PackageFacts {
  readonly name?: string
  readonly version?: string
  readonly description?: string
  readonly tags?: readonly string[]
  readonly mode?: 'manual' | 'auto'
  readonly command?: string
}

/** An unsigned document; comments and quoting are there so that byte-for-byte storage shows. */
export function writeDocument(facts: PackageFacts = {}): string {
  const {name = 'hello', version = '1.0.0', description = 'Says hello', tags = ['demo'], mode = 'manual'} = facts
  return `# The comment must survive
apiVersion: v1
kind: WorkflowPackage
metadata:
  name: ${name}
  version: "${version}"
  description: ${JSON.stringify(description)}
  author: 'Team'
  created: "2026-01-02T03:04:05Z"
  tags: ${JSON.stringify(tags)}
  signature: ""
spec:
  runtime: {type: shell}
  safety: {mode: ${mode}}
  handlers:
    - name: greet
      type: shell
      config: {command: ${JSON.stringify(facts.command ?? 'echo hello')}}
`
}

export async function signText(text: string, signer: Signer, files: readonly PackageFile[] = []): Promise<string> {
  const document = loadDocument(Buffer.from(text), 'wpk.yaml')
  const signed = await signDocument(document, signer, {files: await digestFiles(files)})
  return signed.text
}

/** A signed package as a tarball: its document and the given files. */
export async function packText(text: string, signer: Signer, files: readonly PackageFile[]): Promise<Buffer> {
  const document = documentMember(Buffer.from(await signText(text, signer, files)))
  return Buffer.concat(await Array.fromAsync(packArchive([document, ...files]) as AsyncIterable<Buffer>))
}

export function fileOf(path: string, content: string): PackageFile {
  const bytes = Buffer.from(content)
  return {path, size: bytes.length, exec: false, open: () => Readable.from([bytes])}
}
