import {TrustedRoot} from '@sigstore/protobuf-specs'
import {toTrustMaterial, type TrustMaterial} from '@sigstore/verify'
import {AtomError} from '../../errors.ts'
import {parseStrictJson} from '../../signing/json.ts'
import {whyMalformed} from '../../signing/malformed.ts'
import {checkLogKeys, checkRootShape} from './root-shape.ts'

/** Reads a TrustedRoot from its JSON. Throws TRUST_ROOT_INVALID. */
export function readTrustedRoot(bytes: Uint8Array, source: string): TrustMaterial {
  try {
    const json = parseStrictJson(bytes)
    checkRootShape(json)
    const material = toTrustMaterial(TrustedRoot.fromJSON(json))
    checkLogKeys(json, material)
    return material
  } catch (cause) {
    throw new AtomError('TRUST_ROOT_INVALID', `${source} is not a Sigstore trusted root: ${whyMalformed(cause)}`, {
      hint: 'get trusted_root.json from whoever runs that Sigstore: cosign trusted-root create makes one',
      cause,
    })
  }
}
