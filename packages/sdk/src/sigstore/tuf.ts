// Loaded for `--trusted-root public-good` only.
import {TrustedRoot} from '@sigstore/protobuf-specs'
import {getTrustedRoot} from '@sigstore/tuf'

/** JSON of the public Sigstore's trusted root, verified by TUF from the root that @sigstore/tuf ships. */
export async function fetchTrustedRoot(cachePath: string): Promise<Uint8Array> {
  return Buffer.from(JSON.stringify(TrustedRoot.toJSON(await getTrustedRoot({cachePath}))))
}
