import {existsSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {fileURLToPath} from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** The shared test vectors: ATOMCTL_VECTORS, or beside the repository; undefined where this machine has none. */
export function findVectors(): string | undefined {
  const folder = process.env['ATOMCTL_VECTORS'] ?? join(ROOT, '..', 'shared', 'vectors')
  return existsSync(join(folder, 'conformance', 'index.json')) ? folder : undefined
}

/** One detached bundle and what is to come of it. Paths are relative to the folder of the index. */
export interface BundleVector {
  readonly name?: string
  readonly bundle?: string
  readonly legacySignature?: string
  readonly artifact: string
  readonly key?: string
  readonly trustedRoot?: string
  readonly certificateIdentity?: string
  readonly certificateOidcIssuer?: string
  readonly expect: string
}

export interface KeyVector {
  readonly file: string
  readonly publicKey?: string
  readonly password?: string
  readonly expect: string
}

/** The index of a folder: `vectors` in conformance, the others in cosign. */
export interface VectorIndex {
  readonly vectors: readonly BundleVector[]
  readonly bundles: readonly BundleVector[]
  readonly attestations: readonly BundleVector[]
  readonly keys: readonly KeyVector[]
}

export function readIndex(folder: string): VectorIndex {
  return JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as VectorIndex
}

/** The command line that checks a vector. */
export function verifyArguments(folder: string, vector: BundleVector): string[] {
  const file = (path: string): string => join(folder, path)
  const flags: [string, string | undefined][] = [
    ['--bundle', vector.bundle && file(vector.bundle)],
    ['--signature', vector.legacySignature && file(vector.legacySignature)],
    ['--key', vector.key && file(vector.key)],
    ['--trusted-root', vector.trustedRoot && file(vector.trustedRoot)],
    ['--certificate-identity', vector.certificateIdentity],
    ['--certificate-oidc-issuer', vector.certificateOidcIssuer],
  ]
  const words = flags.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]))
  return ['verify', file(vector.artifact), ...words]
}
