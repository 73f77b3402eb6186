// Loaded for `public-good` only, the one name that asks the network for trust.
import {TrustedRoot} from '@sigstore/protobuf-specs'
import {getTrustedRoot, initTUF} from '@sigstore/tuf'

/** JSON of the public Sigstore's trusted root, verified by TUF from the root that @sigstore/tuf ships. */
export async function fetchTrustedRoot(cachePath: string): Promise<Uint8Array> {
  return Buffer.from(JSON.stringify(TrustedRoot.toJSON(await getTrustedRoot({cachePath}))))
}

/** JSON of the public Sigstore's signing config, likewise. */
export async function fetchSigningConfig(cachePath: string): Promise<Uint8Array> {
  const client = await initTUF({cachePath})
  return Buffer.from(await client.getTarget('signing_config.v0.2.json'))
}
