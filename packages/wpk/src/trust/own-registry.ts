import type {WpkDocument} from '../document/index.ts'
import {isAtomError} from '../errors.ts'
import {bundlesOf} from '../signing/embedded.ts'
import {readSignature} from '../signing/read.ts'
import {normalizeRegistry} from '../signing/registry.ts'

/**
 * The name to verify a package under, for a service that is known by several: the one its signature is bound to when
 * that is one of them, else the first. Only the service's own names are ever returned, so what an unverified
 * signature claims can choose among them and add none.
 */
export function ownRegistryName(document: WpkDocument, names: readonly string[]): string | undefined {
  const bound = boundRegistries(document).map(normalizeRegistry)
  return names.find((name) => bound.includes(normalizeRegistry(name))) ?? names[0]
}

/** What the signatures say, unverified. A signature that cannot be read names nothing; verifying it says why. */
function boundRegistries(document: WpkDocument): string[] {
  try {
    const signatures = bundlesOf(document.value).map(readSignature)
    return signatures.flatMap(({statement: {registry}}) => (registry === undefined ? [] : [registry]))
  } catch (error) {
    if (isAtomError(error)) return []
    throw error
  }
}
