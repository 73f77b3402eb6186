import type {WpkDocument} from '../document/index.ts'
import {AtomError} from '../errors.ts'
import {type Claims, readClaims} from './certificate.ts'
import {bundlesOf, MAX_SIGNATURES} from './embedded.ts'
import {fingerprintOfHint} from './public-key.ts'
import {type ReadSignature, readSignature} from './read.ts'
import type {Signer} from './signer.ts'
import {readStatement, type Statement} from './statement.ts'

/**
 * The bundles that a document has already, when one more signature, with this payload and by this signer, may go beside
 * them: all are about the same content, files and registry, and none is by the same key or person. They are read, not
 * verified. Throws WPK_UNSIGNED, WPK_TAMPERED, SIGNATURE_MALFORMED, SIGNATURE_EXISTS.
 */
export function bundlesToKeep(document: WpkDocument, payload: Uint8Array, signer: Signer): readonly object[] {
  const bundles = bundlesOf(document.value)
  const {source} = document
  if (bundles.length === 0) {
    const hint = `atomctl sign ${source}   # the first signature`
    throw new AtomError('WPK_UNSIGNED', `${source} has no signature to add another one to`, {hint})
  }
  const mine = readStatement(payload)
  for (const signature of bundles.map(readSignature)) {
    checkSameStatement(document, signature.statement, mine)
    if (isBy(signature, signer)) throw alreadySigned(source, signer)
  }
  if (bundles.length >= MAX_SIGNATURES) {
    throw new AtomError('SIGNATURE_EXISTS', `${source} has ${bundles.length} signatures, the most there may be`, {
      hint: `atomctl sign ${source}   # replaces them all`,
    })
  }
  return bundles
}

function checkSameStatement(document: WpkDocument, signed: Statement, mine: Statement): void {
  const {source} = document
  const again = {hint: `atomctl sign ${source}   # replaces the signatures; then the others add theirs again`}
  if (signed.documentDigest !== mine.documentDigest || signed.name !== mine.name || signed.version !== mine.version)
    throw new AtomError('WPK_TAMPERED', `${source} was changed after it was signed; nothing was added`, again)
  if (JSON.stringify(signed.files) !== JSON.stringify(mine.files))
    throw new AtomError('WPK_TAMPERED', `${source} was signed with other files beside it; nothing was added`, again)
  if (signed.registry === mine.registry) return
  const bound = signed.registry === undefined ? 'no registry' : `the registry ${signed.registry}`
  throw new AtomError('WPK_TAMPERED', `${source} is signed for ${bound}; every signature of it must say the same`, {
    hint: `atomctl sign ${source} --append${signed.registry === undefined ? '' : ` --registry ${signed.registry}`}`,
  })
}

function isBy({bundle}: ReadSignature, {keyHint, claims}: Signer): boolean {
  if (bundle.keyHint !== undefined) return bundle.keyHint === keyHint
  return claims !== undefined && isSamePerson(readClaims(bundle.certificate ?? Buffer.alloc(0)), claims)
}

function isSamePerson(one: Claims, other: Claims): boolean {
  return one.identity === other.identity && one.issuer === other.issuer
}

function alreadySigned(source: string, {keyHint, claims}: Signer): AtomError {
  const who = claims?.identity ?? `the key ${fingerprintOfHint(keyHint)}`
  return new AtomError(
    'SIGNATURE_EXISTS',
    `${source} is signed by ${who} already; a second signature would not count`,
    {
      hint: 'add one by another signer: atomctl sign FILE --append --key OTHER.key',
    },
  )
}
