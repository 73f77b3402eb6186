import {AtomError} from '@atomctl/sdk/errors'
import type {WpkDocument} from '@atomctl/wpk/document'
import type {ClaimedSigner} from '@atomctl/wpk/signing'

/**
 * The signature bundle of a document that `--signer` picks: by its number, counted from 1 as they are listed, by the
 * fingerprint of a key, or by the identity in a certificate. Verifies nothing.
 * @throws WPK_UNSIGNED, SIGNATURE_MALFORMED, NOT_FOUND, USAGE where there are several and none was picked
 */
export async function pickBundle(document: WpkDocument, wanted: string | undefined): Promise<object> {
  const {bundlesOf, claimedSigner, decodeBundle} = await import('@atomctl/wpk/signing')
  const {source} = document
  const bundles = bundlesOf(document.value)
  const [only] = bundles
  if (!only) throw new AtomError('WPK_UNSIGNED', `${source} has no signature`, {hint: `atomctl sign ${source}`})
  if (wanted === undefined && bundles.length === 1) return only
  const names = bundles.map((bundle) => nameOf(claimedSigner(decodeBundle(bundle))))
  const list = names.map((name, index) => `${index + 1}: ${name}`).join('\n')
  if (wanted === undefined) {
    throw new AtomError('USAGE', `${source} has ${bundles.length} signatures: --print-bundle prints one`, {
      hint: `add --signer with a number, a fingerprint or an identity:\n${list}`,
    })
  }
  const found = bundles[names.indexOf(wanted)] ?? bundles[/^[1-9]$/.test(wanted) ? Number(wanted) - 1 : -1]
  if (found) return found
  const message = `${source} has no signature ${JSON.stringify(wanted)}`
  throw new AtomError('NOT_FOUND', message, {hint: `it has these:\n${list}`})
}

function nameOf(signer: ClaimedSigner): string {
  return 'fingerprint' in signer ? signer.fingerprint : signer.identity
}
