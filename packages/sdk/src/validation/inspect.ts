import {isAtomError} from '../errors.ts'
import {type Finding, parseYaml, readDocument, type WpkDocument} from '@atomctl/wpk/document'
import {lint, type LintReport} from '@atomctl/wpk/lint'
import type {FileReport, PackageSummary, PolicySummary, SignatureSummary} from './report.ts'
import {active} from './report.ts'

/** Runs every check on the bytes of one document. Bad input gives findings, never an error. */
export async function inspectDocument(bytes: Uint8Array, file: string, strict: boolean): Promise<FileReport> {
  const {document, findings} = readDocument(bytes, file)
  const report = document ? lint(document.value, document.locate) : lintReading(bytes, file)
  const signature = document ? await summarizeSignature(document) : undefined
  const all = [...findings, ...(report?.findings ?? []), ...signatureFindings(signature, document)]
  const accepted = document !== undefined && report?.decision !== 'block' && signature?.state !== 'invalid'
  return {
    file,
    valid: accepted && !(strict && active(all, 'warning').length > 0),
    ...(document && signature ? {summary: summarizePackage(document, signature)} : {}),
    ...(document && report ? {policy: summarizePolicy(report)} : {}),
    findings: all,
  }
}

/** The security policy's findings on a document that is not accepted, as far as it can be read: one pass shows all. */
function lintReading(bytes: Uint8Array, file: string): LintReport | undefined {
  const {reading, locate} = parseYaml(bytes, file)
  const isMapping = typeof reading === 'object' && reading !== null && !Array.isArray(reading)
  return isMapping ? lint(reading, locate) : undefined
}

function summarizePackage({wpk, name, version}: WpkDocument, signature: SignatureSummary): PackageSummary {
  const {metadata, spec} = wpk
  return {
    name,
    version,
    author: metadata.author,
    runtime: spec.runtime.type,
    safetyMode: spec.safety.mode,
    handlers: spec.handlers.length,
    signature,
  }
}

function summarizePolicy({findings: _, ...policy}: LintReport): PolicySummary {
  return policy
}

async function summarizeSignature({value}: WpkDocument): Promise<SignatureSummary> {
  const {metadata} = value as {metadata: {signature?: unknown}}
  if (!metadata.signature) return {state: 'unsigned'}
  const {bundlesOf, claimedSigner, decodeBundle} = await import('@atomctl/wpk/signing')
  try {
    const [first, ...others] = bundlesOf(value).map((bundle) => claimedSigner(decodeBundle(bundle)))
    if (!first) return {state: 'unsigned'}
    if (others.length > 0) return {state: 'cosigned', signers: [first, ...others]}
    return 'fingerprint' in first ? {state: 'signed', ...first} : {state: 'certified', ...first}
  } catch (error) {
    if (isAtomError(error)) return {state: 'invalid', reason: error.message}
    throw error
  }
}

function signatureFindings(signature: SignatureSummary | undefined, document: WpkDocument | undefined): Finding[] {
  if (signature?.state !== 'invalid') return []
  const path = 'metadata.signature'
  const position = document?.locate(path)
  return [
    {rule: 'signature_unreadable', severity: 'error', message: signature.reason, path, ...(position ? {position} : {})},
  ]
}
