import {readFileSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import type {JsonObject} from '@atomctl/wpk/canonical'
import {isAtomError} from '@atomctl/wpk/errors'
import {type ArtifactTrust, verifyArtifact} from '@atomctl/wpk/trust/artifact'
import {parseTrustRoot} from '@atomctl/wpk/trust/keyless'
import {type CosignResult, runCosign} from '../cosign.ts'
import type {Original, Trust} from './originals.ts'

/** The files that decide, as bytes. */
export interface Case {
  readonly bundle: Buffer
  readonly trustedRoot?: Buffer | undefined
  readonly key?: Buffer | undefined
}

export function caseOf({bundle, trust}: Original): Case {
  const read = (file: string | undefined): Buffer | undefined => (file === undefined ? undefined : readFileSync(file))
  return {bundle: Buffer.from(JSON.stringify(bundle)), trustedRoot: read(trust.trustedRoot), key: read(trust.key)}
}

/**
 * What the function behind `atomctl verify FILE --bundle B` says: `accepted`, the code of the refusal, or what escaped
 * that is no refusal.
 */
export async function judge(original: Original, files: Case): Promise<string> {
  try {
    await verifyArtifact(files.bundle, () => Readable.from([readFileSync(original.artifact)]), trustOf(original, files))
    return 'accepted'
  } catch (error) {
    return isAtomError(error) ? error.code : `escaped: ${(error as Error).stack}`
  }
}

function trustOf({trust: {identity = '', issuer = ''}}: Original, {key, trustedRoot}: Case): ArtifactTrust {
  const trustRoot = trustedRoot && parseTrustRoot(trustedRoot, 'trusted_root.json')
  if (key) return {publicKeyPem: key.toString(), ...(trustRoot && {trustRoot})}
  if (!trustRoot) throw new Error('neither a key nor a trusted root')
  return {identity, issuer, trustRoot}
}

/** Writes the files of a case; the flags with which both programs are told of them. */
export async function writeCase(folder: string, prefix: string, {trust}: Original, files: Case): Promise<string[]> {
  const write = async (name: string, bytes: Buffer): Promise<string> => {
    await writeFile(join(folder, `${prefix}${name}`), bytes)
    return join(folder, `${prefix}${name}`)
  }
  const flags = ['--bundle', await write('bundle.json', files.bundle)]
  if (files.key) flags.push('--key', await write('key.pub', files.key))
  if (files.trustedRoot) flags.push('--trusted-root', await write('root.json', files.trustedRoot))
  return [...flags, ...signerFlags(trust)]
}

function signerFlags({identity, issuer}: Trust): string[] {
  return identity === undefined || issuer === undefined
    ? []
    : ['--certificate-identity', identity, '--certificate-oidc-issuer', issuer]
}

/**
 * What the real cosign says to a case, told the same. atomctl takes a timestamp authority's word for the time as well as a
 * log's; cosign does for a Rekor v1 only when told to, so that it is asked again with that flag.
 */
export async function judgeWithCosign(
  cosign: string,
  folder: string,
  prefix: string,
  original: Original,
  files: Case,
): Promise<CosignResult> {
  const flags = await writeCase(folder, prefix, original, files)
  // a key alone is enough for atomctl; cosign wants to be told that no log is needed
  const offline = files.trustedRoot ? [] : ['--insecure-ignore-tlog']
  // what a change made of the bundle: another attestation of the same signer, of another type, is as good
  const bundle = parsed(files.bundle) ?? original.bundle
  const words =
    'dsseEnvelope' in bundle ? ['verify-blob-attestation', '--type', predicateTypeOf(bundle)] : ['verify-blob']
  const args = [...words, ...flags, ...offline, original.artifact]
  const first = await runCosign(cosign, args, folder)
  return first.code === 0 || !files.trustedRoot
    ? first
    : runCosign(cosign, [...args, '--use-signed-timestamps'], folder)
}

function parsed(bundle: Buffer): JsonObject | undefined {
  try {
    return JSON.parse(bundle.toString()) as JsonObject
  } catch {
    return undefined
  }
}

function predicateTypeOf({dsseEnvelope}: JsonObject): string {
  const {payload} = (dsseEnvelope ?? {}) as JsonObject
  if (typeof payload !== 'string') return 'custom'
  return (JSON.parse(Buffer.from(payload, 'base64').toString()) as {predicateType: string}).predicateType
}
