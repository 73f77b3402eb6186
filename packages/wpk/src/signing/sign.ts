import {createHash} from 'node:crypto'
import type {Readable} from 'node:stream'
import {DEFAULT_LIMITS} from '../archive/limits.ts'
import {canonicalize} from '../canonical.ts'
import type {WpkDocument} from '../document/index.ts'
import {AtomError} from '../errors.ts'
import {writeBundle} from './bundle.ts'
import {encodeSignatures} from './embedded.ts'
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
 * signatures are replaced, or kept when it is to be appended. Throws ARCHIVE_INVALID for files that cannot be in a
 * package, ARCHIVE_TOO_LARGE, and for what cannot be appended WPK_UNSIGNED, WPK_TAMPERED, SIGNATURE_MALFORMED,
 * SIGNATURE_EXISTS.
 */
export async function signDocument(
  document: WpkDocument,
  signer: Signer,
  options: SignOptions = {},
): Promise<SignedDocument> {
  // Only here: key pairs and detached signatures must not wait for YAML and the schema to load.
  const {loadDocument, setScalar} = await import('../document/index.ts')
  const payload = Buffer.from(JSON.stringify(writeStatement(document, options)))
  // Before anything is signed: what a keyless signer's log records stays there.
  const earlier = options.append ? (await import('./append.ts')).bundlesToKeep(document, payload, signer) : []
  const signature = await signer.sign(encodeEnvelope(PAYLOAD_TYPE, payload))
  const bundle = await bundleFor({kind: 'envelope', payloadType: PAYLOAD_TYPE, payload, signature}, signer)
  const text = setScalar(document.text, ['metadata', 'signature'], encodeSignatures([...earlier, bundle]))
  checkSize(text, document, options)
  const signed = loadDocument(Buffer.from(text), document.source)
  checkUnchanged(document, signed)
  return {text, document: signed, bundle}
}

/** Every file adds some 400 characters to the signature, and a document has an upper bound. */
function checkSize(text: string, document: WpkDocument, {files = []}: StatementOptions): void {
  const size = Buffer.byteLength(text)
  if (size <= DEFAULT_LIMITS.documentBytes) return
  const message = `${document.source} would have ${size} bytes with its signature over ${files.length} files`
  throw new AtomError('ARCHIVE_TOO_LARGE', message, {
    hint: 'put the files into one archive file, or leave some out',
    details: {size, limit: DEFAULT_LIMITS.documentBytes},
  })
}

/** Guards the promise of this room: embedding the signature changes nothing of what was signed. */
function checkUnchanged(before: WpkDocument, after: WpkDocument): void {
  if (Buffer.compare(canonicalize(before.value), canonicalize(after.value)) === 0) return
  throw new AtomError('WPK_INVALID', `${before.source}: the signature could not be embedded without other changes`, {
    hint: `atomctl validate --fix ${before.source}`,
  })
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
