import type {AtomContext} from '../context.ts'
import {AtomError, isAtomError} from '../errors.ts'
import {streamOf} from '../files/index.ts'
import {isFileReference, loadPackage, parseWorkflowId} from '../packages/index.ts'
import type {PolicyInForce} from '../trust.ts'
import type {ArchiveFileInfo} from '@atomctl/wpk/archive'
import type {WpkDocument} from '@atomctl/wpk/document'
import type {Provenance} from '@atomctl/wpk/signing'
import type {SignedBy, TrustPolicy, TrustRule, VerifyOptions} from '@atomctl/wpk/trust'
import type {IdentityTrust} from '@atomctl/wpk/trust/artifact'
import {bundlePathOf, readDetachedBundle} from '../packing/detached-bundle.ts'
import {readSubject} from './subject.ts'

/** What one trust policy said. */
export interface Verdict {
  /** The policy's file; absent for the built-in one, or when a key was given instead. */
  policy?: string
  rule: string
  level: string
  signers: SignedBy[]
  warnings: string[]
  /** What a trusted signer states about how it was built. */
  provenance?: Provenance
}

export interface VerificationResult {
  subject: string
  id?: string
  /** `sha256:…` of the canonical document, or of the file's bytes. */
  digest?: string
  files?: number
  verdicts: Verdict[]
  /** The detached bundle that was checked as well. */
  bundle?: string
}

/** A package to verify, wherever it came from. */
export interface VerificationSubject {
  readonly name: string
  readonly document: WpkDocument
  readonly files: readonly ArchiveFileInfo[] | undefined
  /** What the name on the command line promises. */
  readonly expect?: {readonly name: string; readonly version?: string}
  /** Set for a tarball: it may have a bundle beside it. */
  readonly tarball?: string
}

/** Reads a file, without any network, or fetches a workflow id. */
export async function readVerificationSubject(name: string, atom: AtomContext): Promise<VerificationSubject> {
  if (!isFileReference(name)) {
    const {document} = await readSubject(name, atom)
    return {name, document, files: undefined, expect: parseWorkflowId(name) ?? {name}}
  }
  const {document, files, kind} = await loadPackage(name)
  return {name, document, files, ...(kind === 'tarball' ? {tarball: name} : {})}
}

/**
 * Checks a package against every policy, and the bundle beside a tarball when there is one.
 * @throws WPK_UNSIGNED, WPK_TAMPERED, SIGNATURE_MALFORMED, SIGNER_UNTRUSTED, SIGNER_EXPIRED, SIGNER_REVOKED
 */
export async function verifySubject(
  subject: VerificationSubject,
  policies: readonly PolicyInForce[],
  registry: string | undefined,
): Promise<VerificationResult> {
  const {verifyDocument} = await import('@atomctl/wpk/trust')
  const {name, document, files, expect, tarball} = subject
  const options: VerifyOptions = {
    ...(registry === undefined ? {} : {registry}),
    ...(files ? {files} : {}),
    ...(expect ? {expect} : {}),
  }
  const verified = policies.map(({policy, file}) => ({file, verified: verifyDocument(document, policy, options)}))
  const bundle = tarball === undefined ? undefined : await verifyBundle(tarball, document.name, policies, registry)
  const [first] = verified
  return {
    subject: name,
    id: document.id,
    ...(first ? {digest: first.verified.digest} : {}),
    files: first?.verified.verification.files.length ?? 0,
    verdicts: verified.map(({file, verified: {verification}}): Verdict => {
      const {rule, level, signers, warnings, provenance} = verification
      return {
        ...(file === undefined ? {} : {policy: file}),
        rule,
        level,
        signers: [...signers],
        warnings: [...warnings],
        ...(provenance === undefined ? {} : {provenance}),
      }
    }),
    ...(bundle === undefined ? {} : {bundle}),
  }
}

async function verifyBundle(
  tarball: string,
  name: string,
  policies: readonly PolicyInForce[],
  registry: string | undefined,
): Promise<string | undefined> {
  const bundle = await readDetachedBundle(tarball)
  if (!bundle) return undefined
  const {verifyArtifact} = await import('@atomctl/wpk/trust')
  for (const {policy} of policies)
    await verifyArtifact(bundle, streamOf(tarball), {policy, name, ...(registry === undefined ? {} : {registry})})
  return bundlePathOf(tarball)
}

/** Checks a package against one public key alone, whatever the trust policy says. */
export async function verifySubjectByKey(
  subject: VerificationSubject,
  publicKeyPem: string,
  keyFile: string,
  registry: string | undefined,
): Promise<VerificationResult> {
  const policy = await policyOfKey(publicKeyPem, keyFile)
  try {
    return await verifySubject(subject, [{policy, file: undefined}], registry)
  } catch (error) {
    if (!isAtomError(error) || error.code !== 'SIGNER_UNTRUSTED') throw error
    throw new AtomError('SIGNER_UNTRUSTED', `${subject.name} is signed with another key than ${keyFile}`, {
      hint: `atomctl verify ${subject.name}   # says which key signed it`,
      cause: error,
    })
  }
}

/** A policy that trusts exactly one key, for every package. @throws KEY_INVALID */
async function policyOfKey(publicKeyPem: string, file: string): Promise<TrustPolicy> {
  const {checkVerifiable, keyHint, parsePublicKey} = await import('@atomctl/wpk/signing')
  const publicKey = checkVerifiable(parsePublicKey(publicKeyPem))
  const key = {name: file, publicKey, hint: keyHint(publicKeyPem), notAfter: undefined, revoked: false}
  const keys = {keys: new Map([[file, key]]), keysByHint: new Map([[key.hint, key]])}
  return {...policyOf('--key', {keys: [file]}), ...keys}
}

/** Checks a package against one keyless signer alone, whatever the trust policy says. */
export async function verifySubjectByIdentity(
  subject: VerificationSubject,
  {identity, issuer, trustRoot}: IdentityTrust,
  registry: string | undefined,
): Promise<VerificationResult> {
  if (identity.includes('*')) {
    throw new AtomError('USAGE', '--certificate-identity takes one identity, not a pattern', {
      hint: 'patterns belong into a rule of the trust policy',
    })
  }
  const signer = {keyless: {trustRoot: trustRoot.source, issuer, identity}}
  const policy = {...policyOf('--certificate-identity', signer), trustRoots: new Map([[trustRoot.source, trustRoot]])}
  return verifySubject(subject, [{policy, file: undefined}], registry)
}

/** A policy of one rule, which trusts this signer for every package. */
function policyOf(name: string, signer: TrustRule['signers'][number]): TrustPolicy {
  const rule: TrustRule = {
    name,
    scope: {registries: ['*'], packages: ['*']},
    level: 'strict',
    threshold: 1,
    signers: [signer],
    bindRegistry: false,
  }
  return {source: undefined, default: {level: 'strict'}, rules: [rule], keys: new Map(), keysByHint: new Map()}
}
