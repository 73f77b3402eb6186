import {access} from 'node:fs/promises'
import {AtomError} from '../errors.ts'
import {readInput} from '../files/index.ts'

const LIMIT = 1 << 20

/** Path of the bundle beside a file (spec: signing, "Beside a packed tarball"). */
export const bundlePathOf = (path: string): string => `${path}.sigstore.json`

/** The bundle beside a file, if there is one. @throws SIGNATURE_MALFORMED when it is not JSON. */
export async function readDetachedBundle(path: string): Promise<object | undefined> {
  const file = bundlePathOf(path)
  if (
    !(await access(file).then(
      () => true,
      () => false,
    ))
  )
    return undefined
  const text = new TextDecoder().decode(await readInput(file, LIMIT))
  try {
    const bundle: unknown = JSON.parse(text)
    if (typeof bundle === 'object' && bundle !== null) return bundle
  } catch {
    // falls through to the one error
  }
  throw new AtomError('SIGNATURE_MALFORMED', `${file} is not a Sigstore bundle`)
}
