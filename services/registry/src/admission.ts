import {isArchive, readArchive, type ArchiveFileInfo} from '@atomctl/wpk/archive'
import type {JsonObject} from '@atomctl/wpk/canonical'
import {loadDocument, type Finding, type WpkDocument} from '@atomctl/wpk/document'
import {isAtomError} from '@atomctl/wpk/errors'
import {lint} from '@atomctl/wpk/lint'
import {
  ownRegistryName,
  verifyArtifact,
  verifyDocument,
  type TrustPolicy,
  type VerifiedDocument,
} from '@atomctl/wpk/trust'
import {Refusal, refusePackage} from './refusal.ts'
import type {Spool} from './spool.ts'
import type {Upload} from './upload.ts'

/** A package that passed every check; only `admitPackage` makes one. */
export interface AdmittedPackage {
  readonly verified: VerifiedDocument
  readonly mediaType: 'application/yaml' | 'application/gzip'
  readonly spool: Spool
  /** The detached bundle, checked. */
  readonly bundle: JsonObject | undefined
}

/** What uploads are judged by. */
export interface AdmissionTrust {
  readonly policy: TrustPolicy
  /** What this registry is called: the rules for it apply, and a signature bound to another registry is refused. */
  readonly urls: readonly string[]
}

const DOCUMENT_BYTES = 1024 * 1024

/**
 * Decides whether an upload is a package this registry takes: form, signature against the server's trust policy, and
 * security rules, in the order of the original. Throws a Refusal; nothing was stored by then.
 */
export async function admitPackage({file, bundle}: Upload, {policy, urls}: AdmissionTrust): Promise<AdmittedPackage> {
  const mediaType = isArchive(file.head) ? 'application/gzip' : 'application/yaml'
  const {document, files} = mediaType === 'application/gzip' ? await readPacked(file) : await readPlain(file)
  const registry = ownRegistryName(document, urls)
  const known = registry === undefined ? {} : {registry}
  const verified = verifySignature(document, policy, {files, ...known})
  checkRules(document)
  return {
    verified,
    mediaType,
    spool: file,
    bundle: bundle && (await verifyBundle(bundle, file, {policy, name: document.name, ...known})),
  }
}

interface Content {
  readonly document: WpkDocument
  /** None for a plain document: one that was signed together with files must come with them. */
  readonly files: readonly ArchiveFileInfo[]
}

async function readPlain(file: Spool): Promise<Content> {
  if (file.size > DOCUMENT_BYTES) {
    throw new Refusal(413, `The document is larger than ${DOCUMENT_BYTES} bytes`, {code: 'ARCHIVE_TOO_LARGE'})
  }
  return {document: readForm(await file.bytes()), files: []}
}

async function readPacked(file: Spool): Promise<Content> {
  const {documentBytes, files} = await readArchive(() => file.open()).catch((error: unknown) => {
    throw refusePackage(error, 'Invalid package archive')
  })
  return {document: readForm(documentBytes), files}
}

function readForm(bytes: Uint8Array): WpkDocument {
  try {
    return loadDocument(bytes, 'wpk.yaml')
  } catch (error) {
    const isReadable = isAtomError(error) && error.code === 'WPK_INVALID'
    throw refusePackage(error, isReadable ? 'Invalid WPK schema' : 'Invalid YAML format')
  }
}

function verifySignature(
  document: WpkDocument,
  policy: TrustPolicy,
  options: {files: Content['files']; registry?: string},
): VerifiedDocument {
  try {
    return verifyDocument(document, policy, options)
  } catch (error) {
    const isUnsigned = isAtomError(error) && error.code === 'WPK_UNSIGNED'
    throw refusePackage(error, isUnsigned ? 'WPK must be signed with cosign' : 'Invalid cosign signature')
  }
}

function checkRules(document: WpkDocument): void {
  const report = lint(document.value, (path) => document.locate(path))
  if (report.decision !== 'block') return
  const findings: Finding[] = report.findings.filter(({suppressed}) => suppressed === undefined)
  throw new Refusal(400, `The security policy blocks this package: risk score ${report.score}`, {
    code: 'POLICY_BLOCKED',
    hint: 'atomctl validate',
    findings,
  })
}

async function verifyBundle(
  bundle: Spool,
  file: Spool,
  trust: {policy: TrustPolicy; name: string; registry?: string},
): Promise<JsonObject> {
  try {
    const bytes = await bundle.bytes()
    await verifyArtifact(bytes, () => file.open(), trust)
    return JSON.parse(new TextDecoder().decode(bytes)) as JsonObject
  } catch (error) {
    throw refusePackage(error, 'Invalid cosign signature')
  }
}
