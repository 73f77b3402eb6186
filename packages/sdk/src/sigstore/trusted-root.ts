import {join} from 'node:path'
import type {TrustRoot} from '@atomctl/wpk/trust'
import {type Environment, homeOf} from '../config/environment.ts'
import {AtomError, isAtomError, optionsOf} from '../errors.ts'
import {readInput} from '../files/index.ts'

/** In place of a file name: the public Sigstore's trusted root, fetched by TUF. The only way that asks the network. */
export const PUBLIC_GOOD = 'public-good'

const LIMIT = 1 << 20

/**
 * The trusted root that `--trusted-root` names.
 * @throws INPUT_MISSING, INPUT_UNREADABLE, TRUST_ROOT_INVALID; UNAVAILABLE when the public one cannot be fetched
 */
export async function loadTrustRoot(name: string, environment: Environment): Promise<TrustRoot> {
  const [{parseTrustRoot}, bytes] = await Promise.all([
    import('@atomctl/wpk/trust/keyless'),
    name === PUBLIC_GOOD ? fetchPublicGood(environment) : readRoot(name),
  ])
  return parseTrustRoot(bytes, name)
}

async function readRoot(path: string): Promise<Uint8Array> {
  return readInput(path, LIMIT).catch((error: unknown) => {
    if (!isAtomError(error) || error.code !== 'WPK_UNREADABLE') throw error
    throw new AtomError('TRUST_ROOT_INVALID', error.message, {...optionsOf(error), hint: 'name a trusted_root.json'})
  })
}

/** What TUF verified stays below ~/.atomctl: the next run needs the network only for what has expired. */
async function fetchPublicGood(environment: Environment): Promise<Uint8Array> {
  try {
    const {fetchTrustedRoot} = await import('./tuf.ts')
    return await fetchTrustedRoot(join(homeOf(environment), 'sigstore'))
  } catch (cause) {
    const message = `the trusted root of the public Sigstore cannot be fetched: ${(cause as Error).message}`
    throw new AtomError('UNAVAILABLE', message, {hint: 'try again, or save it once and name the file', cause})
  }
}
