import {Readable} from 'node:stream'
import type {AtomContext} from '@atomctl/sdk/context'
import {AtomError, reportOf} from '@atomctl/sdk/errors'
import type {SignedBy} from '@atomctl/wpk/trust'
import type {IdentityTrust, KeyTrust} from '@atomctl/wpk/trust/artifact'
import {isOffered, type Listing, parseListing, requireCurrent} from './listing.ts'
import {releaseUrl, sourceOf, type UpdateSettings} from './settings.ts'
import {readState, statePath, writeState} from './state.ts'

/** What a check found, all of it verified. */
export interface FoundRelease extends Listing {
  readonly url: string
  /** The fingerprint of the key, or identity and issuer. */
  readonly signer: string
  readonly isOffered: boolean
}

const LISTING = 'SHA256SUMS'
const LISTING_BYTES = 64 << 10
const BUNDLE_BYTES = 256 << 10

/**
 * Asks the configured server for its release and believes it only with the configured signature. What was found, or why
 * nothing was, is kept for the notice and `doctor`; a failure leaves the version that was verified before.
 * @throws CONFIG_INVALID, INPUT_MISSING, KEY_INVALID, TRUST_ROOT_INVALID, UNAVAILABLE, TIMEOUT, PROTOCOL,
 * ENDPOINT_NOT_FOUND, NOT_FOUND, SIGNATURE_MALFORMED, WPK_TAMPERED, SIGNER_UNTRUSTED, RELEASE_STALE
 */
export async function checkForUpdate(
  settings: UpdateSettings,
  atom: AtomContext,
  running: string,
): Promise<FoundRelease> {
  const path = statePath(atom.environment)
  const source = sourceOf(settings)
  const seen = readState(path, source)?.version
  const keep = (state: object): Promise<void> => writeState(path, {source, at: Date.now(), ...state})
  try {
    const found = await findRelease(settings, atom, running, seen)
    await keep({version: found.version})
    return found
  } catch (error) {
    const {code, message} = reportOf(error)
    await keep({...(seen === undefined ? {} : {version: seen}), failure: {code, message}})
    throw error
  }
}

async function findRelease(
  settings: UpdateSettings,
  atom: AtomContext,
  running: string,
  seen: string | undefined,
): Promise<FoundRelease> {
  const [url, trust] = await Promise.all([releaseUrl(settings), readTrust(settings, atom)])
  const [listing, bundle] = await Promise.all([
    fetchFile(atom, url, LISTING, LISTING_BYTES),
    fetchFile(atom, url, `${LISTING}.sigstore.json`, BUNDLE_BYTES),
  ])
  const {verifyArtifact} = await import('@atomctl/wpk/trust/artifact')
  const {signers} = await verifyArtifact(bundle, () => Readable.from([listing]), trust)
  // only now is it read
  const parsed = parseListing(Buffer.from(listing).toString('utf8'), url)
  requireCurrent(parsed, running, seen)
  return {...parsed, url, signer: describe(signers[0]), isOffered: isOffered(parsed.version, running)}
}

// no token goes there: it is neither of the services
async function fetchFile(atom: AtomContext, baseUrl: string, name: string, maxBytes: number): Promise<Uint8Array> {
  const http = await atom.http()
  const {signal} = atom.interruption
  const spec = {method: 'GET', path: `/${name}`, maxBytes, service: 'release server', signal} as const
  return (await http.request({baseUrl}, spec)).bytes
}

async function readTrust(settings: UpdateSettings, atom: AtomContext): Promise<KeyTrust | IdentityTrust> {
  const {key, identity, issuer, trustedRoot} = settings
  if (key !== undefined && identity === undefined && issuer === undefined) return readKey(key, trustedRoot, atom)
  if (key === undefined && identity !== undefined && issuer !== undefined && trustedRoot !== undefined) {
    const {loadTrustRoot} = await import('@atomctl/sdk/sigstore')
    return {identity, issuer, trustRoot: await loadTrustRoot(trustedRoot, atom.environment)}
  }
  throw new AtomError('CONFIG_INVALID', 'update_url is set, but not one signer of its releases', {
    hint: 'atomctl config set update_key release.pub   # or update_identity, update_issuer and update_trusted_root',
  })
}

async function readKey(file: string, root: string | undefined, atom: AtomContext): Promise<KeyTrust> {
  const [{readKeyFile, naming}, {parsePublicKey}] = await Promise.all([
    import('@atomctl/sdk/signing'),
    import('@atomctl/wpk/signing'),
  ])
  const pem = await readKeyFile(file)
  const publicKeyPem = await naming(file, async () =>
    parsePublicKey(pem).export({type: 'spki', format: 'pem'}).toString(),
  )
  if (root === undefined) return {publicKeyPem}
  const {loadTrustRoot} = await import('@atomctl/sdk/sigstore')
  return {publicKeyPem, trustRoot: await loadTrustRoot(root, atom.environment)}
}

function describe(signer: SignedBy | undefined): string {
  if (!signer) return 'nobody'
  return signer.identity === undefined ? signer.fingerprint : `${signer.identity} (issuer ${signer.issuer})`
}
