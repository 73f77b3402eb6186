import {TrustedRoot} from '@sigstore/protobuf-specs'
import {toTrustMaterial, type TrustMaterial} from '@sigstore/verify'
import {AtomError} from '../../errors.ts'
import {parseStrictJson} from '../../signing/json.ts'

const MEDIA_TYPES: readonly unknown[] = [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
]

/**
 * Reads a TrustedRoot (sigstore/protobuf-specs, sigstore_trustroot.proto) from its JSON. Every log and authority must
 * say since when it is valid: sigstore-js takes a missing start for "since ever". Throws TRUST_ROOT_INVALID.
 */
export function readTrustedRoot(bytes: Uint8Array, source: string): TrustMaterial {
  try {
    const json = parseStrictJson(bytes) as {mediaType?: unknown}
    if (!MEDIA_TYPES.includes(json.mediaType)) throw new Error(`mediaType is not ${MEDIA_TYPES.join(' or ')}`)
    const root = TrustedRoot.fromJSON(json)
    checkPeriods(root)
    return toTrustMaterial(root)
  } catch (cause) {
    throw new AtomError('TRUST_ROOT_INVALID', `${source} is not a Sigstore trusted root: ${(cause as Error).message}`, {
      hint: 'get trusted_root.json from whoever runs that Sigstore: cosign trusted-root create makes one',
      cause,
    })
  }
}

function checkPeriods(root: TrustedRoot): void {
  const {tlogs, ctlogs, certificateAuthorities, timestampAuthorities} = root
  for (const [name, logs] of Object.entries({tlogs, ctlogs})) {
    const index = logs.findIndex(({publicKey}) => publicKey?.validFor?.start === undefined)
    if (index >= 0) throw new Error(`${name}[${index}].publicKey.validFor.start is missing`)
  }
  for (const [name, authorities] of Object.entries({certificateAuthorities, timestampAuthorities})) {
    const index = authorities.findIndex(({validFor}) => validFor?.start === undefined)
    if (index >= 0) throw new Error(`${name}[${index}].validFor.start is missing`)
  }
}
