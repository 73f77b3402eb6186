import {createHash} from 'node:crypto'
import type {Readable} from 'node:stream'
import type {WpkDocument} from '../document/index.ts'
import {writeBundle} from './bundle.ts'
import {encodeEnvelope, PAYLOAD_TYPE} from './envelope.ts'
import type {SignedContent, Signer} from './signer.ts'
import {type StatementOptions, writeStatement} from './statement.ts'

/** A document with its signature in it. Only the one line of the signature differs from the unsigned text. */
export interface SignedDocument {
  readonly text: string
  readonly document: WpkDocument
  readonly bundle: object
}

export interface SignOptions extends StatementOptions {
  /** Put the signature beside those that are there, instead of in their place. */
  readonly append?: boolean
}

/**
 * Signs a document together with the files that belong to it and embeds the bundle as `metadata.signature`; earlier
 * signatures are replaced, or kept when it is to be appended. What can be found wrong without the signer is found before
 * it is called for: a log records what a keyless one signs for good, and a key may still be opening on its own thread.
 * Throws ARCHIVE_INVALID for files that cannot be in a package, ARCHIVE_TOO_LARGE, and for what cannot be appended
 * WPK_UNSIGNED, WPK_TAMPERED, SIGNATURE_MALFORMED, SIGNATURE_EXISTS.
 */
export async function signDocument(
  document: WpkDocument,
  signer: Signer | (() => Promise<Signer>),
  options: SignOptions = {},
): Promise<SignedDocument> {
  // Only here: key pairs and detached signatures must not wait for YAML and the schema to load.
  const {embed} = await import('./embed.ts')
  const payload = Buffer.from(JSON.stringify(writeStatement(document, options)))
  embed(document, [leastBundle(payload)], options)
  const opened = typeof signer === 'function' ? await signer() : signer
  const earlier = options.append ? (await import('./append.ts')).bundlesToKeep(document, payload, opened) : []
  const signature = await opened.sign(encodeEnvelope(PAYLOAD_TYPE, payload))
  const bundle = await bundleFor({kind: 'envelope', payloadType: PAYLOAD_TYPE, payload, signature}, opened)
  return {...embed(document, [...earlier, bundle], options), bundle}
}

/** No bundle over this payload is smaller: where this one has no place, none has. */
function leastBundle(payload: Uint8Array): object {
  return writeBundle({kind: 'envelope', payloadType: PAYLOAD_TYPE, payload, signature: new Uint8Array()}, '')
}

/** A detached bundle over any bytes, read once as a stream; `cosign verify-blob --bundle` accepts it. */
export async function signFile(source: () => Readable, signer: Signer): Promise<object> {
  const digest = createHash('sha256')
  async function* digested(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source() as AsyncIterable<Uint8Array>) {
      digest.update(chunk)
      yield chunk
    }
  }
  const signature = await signer.sign(digested())
  return bundleFor({kind: 'message', digest: digest.digest(), signature}, signer)
}

async function bundleFor(content: SignedContent, signer: Signer): Promise<object> {
  return writeBundle(content, signer.witness ? await signer.witness(content) : signer.keyHint)
}
