import {verifyAgainstPolicies} from '@atomctl/sdk/enforcement'
import type {AtomContext} from '@atomctl/sdk/context'
import {isAtomError} from '@atomctl/sdk/errors'
import type {Provenance} from '@atomctl/wpk/signing'
import type {WpkDocument} from '@atomctl/wpk/document'
import type {Subject} from '@atomctl/sdk/verification'
import type {SignedBy} from '@atomctl/wpk/trust'

/** Everything worth knowing about a package before running it. */
export interface PackageDescription {
  id: string
  name: string
  version: string
  description: string
  author: string
  runtime: string
  safety: string
  digest: string
  registered?: string
  size?: number
  tags: string[]
  handlers: {name: string; type: string; does: string}[]
  rollback: {name: string; type: string; does: string}[]
  parameters: {name: string; type: string; required: boolean; description?: string}[]
  files: {path: string; size: number}[]
  risk: {score: number; level: string; decision: string}
  signature: {status: 'trusted' | 'unsigned' | 'refused'; reason?: string; rule?: string; signers: string[]}
  /** How the trusted signer says that it was built. */
  provenance?: Provenance
}

export async function describePackage(subject: Subject, context: AtomContext): Promise<PackageDescription> {
  const {document, entry, files} = subject
  const [{documentDigest}, {lint}, {declarationsOf}] = await Promise.all([
    import('@atomctl/wpk/canonical'),
    import('@atomctl/wpk/lint'),
    import('@atomctl/wpk/parameters'),
  ])
  const {metadata, spec} = document.wpk
  const {score, riskLevel, decision} = lint(document.value)
  return {
    id: document.id,
    name: document.name,
    version: document.version,
    description: metadata.description,
    author: metadata.author,
    runtime: spec.runtime.type,
    safety: spec.safety.mode,
    digest: documentDigest(document.value),
    ...(entry?.registered_at === undefined ? {} : {registered: entry.registered_at}),
    ...(entry?.size === undefined ? {} : {size: entry.size}),
    tags: metadata.tags ?? [],
    handlers: spec.handlers.map(describeHandler),
    rollback: (spec.rollback?.handlers ?? []).map(describeHandler),
    parameters: (declarationsOf(document.value) ?? []).map(describeParameter),
    files: files.map(({path, size}) => ({path, size})),
    risk: {score, level: riskLevel, decision},
    ...(await describeSignature(document, context, files)),
  }
}

interface Handler {
  name: string
  type: string
  config: Record<string, unknown>
}

function describeHandler(handler: unknown): {name: string; type: string; does: string} {
  const {name, type, config} = handler as Handler
  const parts = [config['action'], config['command'], config['method'], config['url'], config['image']]
  return {name, type, does: parts.filter((part) => typeof part === 'string').join(' ')}
}

function describeParameter(declaration: {
  name: string
  type: string
  required?: boolean | undefined
  description?: string | undefined
}) {
  const {name, type, required = false, description} = declaration
  return {name, type, required, ...(description === undefined ? {} : {description})}
}

async function describeSignature(
  document: WpkDocument,
  context: AtomContext,
  files: Subject['files'],
): Promise<Pick<PackageDescription, 'signature' | 'provenance'>> {
  try {
    const options = files.length > 0 ? {files: [...files] as never} : {}
    const {verification} = await verifyAgainstPolicies(document, context, options)
    const signers = verification.signers.map(nameOf)
    const {rule, provenance} = verification
    const signature = {status: signers.length > 0 ? 'trusted' : 'unsigned', rule, signers} as const
    return {signature, ...(provenance === undefined ? {} : {provenance})}
  } catch (error) {
    if (!isAtomError(error)) throw error
    const status = error.code === 'WPK_UNSIGNED' ? 'unsigned' : 'refused'
    return {signature: {status, reason: error.message, signers: []}}
  }
}

function nameOf({key, fingerprint, identity, issuer}: SignedBy): string {
  if (identity !== undefined) return `${identity} (issuer ${issuer})`
  return key === undefined ? fingerprint : `${key} (${fingerprint})`
}
