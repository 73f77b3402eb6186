import type {WpkDocument} from '../document/index.ts'
import {isAtomError} from '../errors.ts'
import {decodeBundle} from '../signing/bundle.ts'
import {bundleOf} from '../signing/embedded.ts'
import {normalizeRegistry} from '../signing/registry.ts'
import {readStatement} from '../signing/statement.ts'

/**
 * The name to verify a package under, for a service that is known by several: the one its signature is bound to when
 * that is one of them, else the first. Only the service's own names are ever returned, so what an unverified
 * signature claims can choose among them and add none.
 */
export function ownRegistryName(document: WpkDocument, names: readonly string[]): string | undefined {
  const bound = boundRegistry(document)
  const own =
    bound === undefined ? undefined : names.find((name) => normalizeRegistry(name) === normalizeRegistry(bound))
  return own ?? names[0]
}

/** What the signature says, unverified. A signature that cannot be read names nothing; verifying it says why. */
function boundRegistry(document: WpkDocument): string | undefined {
  try {
    const embedded = bundleOf(document.value)
    if (!embedded) return undefined
    const {content} = decodeBundle(embedded.bundle)
    return content.kind === 'envelope' ? readStatement(content.payload).registry : undefined
  } catch (error) {
    if (isAtomError(error)) return undefined
    throw error
  }
}
