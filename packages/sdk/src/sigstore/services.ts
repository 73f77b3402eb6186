import {AtomError, isAtomError} from '../errors.ts'
import {readInput} from '../files/index.ts'

/** A transparency log and the version of its API. */
export interface LogService {
  readonly url: string
  readonly version: 1 | 2
}

/** The services of one Sigstore that make a keyless signature. */
export interface SigstoreServices {
  readonly fulcioUrl: string
  readonly logs: readonly LogService[]
  readonly tsaUrls: readonly string[]
}

/** The flags that name them one by one. */
export interface ServiceFlags {
  readonly 'fulcio-url'?: string | undefined
  readonly 'rekor-url'?: string | undefined
  readonly 'tsa-url'?: string | undefined
}

/** @throws USAGE when the signature could not be verified later, or an address is no URL */
export function servicesOf(flags: ServiceFlags): SigstoreServices {
  const {'fulcio-url': fulcio, 'rekor-url': rekor, 'tsa-url': tsa} = flags
  if (fulcio === undefined) {
    throw new AtomError('USAGE', 'keyless signing needs to know which Sigstore to use', {
      hint: 'add --signing-config FILE, or --fulcio-url with --rekor-url or --tsa-url; the public one: --signing-config public-good',
    })
  }
  if (rekor === undefined && tsa === undefined) {
    throw new AtomError('USAGE', 'a keyless signature without log entry and timestamp can never be verified', {
      hint: 'add --rekor-url URL, --tsa-url URL or both',
    })
  }
  return {
    fulcioUrl: checkUrl(fulcio, '--fulcio-url'),
    logs: rekor === undefined ? [] : [{url: checkUrl(rekor, '--rekor-url'), version: 1}],
    tsaUrls: tsa === undefined ? [] : [checkUrl(tsa, '--tsa-url')],
  }
}

function checkUrl(text: string, flag: string): string {
  const url = URL.parse(text)
  if (url && /^https?:$/.test(url.protocol)) return text.replace(/\/+$/, '')
  throw new AtomError('USAGE', `${flag} ${JSON.stringify(text)} is not an http or https URL`, {
    hint: 'write it like https://fulcio.example.com',
  })
}

const LIMIT = 1 << 20
const MEDIA_TYPE = 'application/vnd.dev.sigstore.signingconfig.v0.2+json'

/** @throws INPUT_MISSING, INPUT_UNREADABLE, CONFIG_INVALID */
export async function readSigningConfig(path: string): Promise<SigstoreServices> {
  const bytes = await readInput(path, LIMIT).catch((error: unknown) => {
    if (isAtomError(error) && error.code === 'WPK_UNREADABLE') throw invalid(path, 'it is too large')
    throw error
  })
  return parseSigningConfig(bytes, path)
}

/** The services that a SigningConfig v0.2 (sigstore/protobuf-specs, sigstore_trustroot.proto) chooses for now. */
export function parseSigningConfig(bytes: Uint8Array, source: string): SigstoreServices {
  try {
    const config = JSON.parse(new TextDecoder().decode(bytes)) as SigningConfig
    if (config.mediaType !== MEDIA_TYPE) throw new Error(`mediaType is not ${MEDIA_TYPE}`)
    const [authority] = choose(config.caUrls, {selector: 'ANY'}, 1)
    if (!authority) throw new Error('no certificate authority is valid now')
    const logs = choose(config.rekorTlogUrls, config.rekorTlogConfig, 2)
    const clocks = choose(config.tsaUrls, config.tsaConfig, 1)
    if (logs.length + clocks.length === 0)
      throw new Error('no transparency log and no timestamp authority is valid now')
    return {
      fulcioUrl: checkUrl(authority.url, 'caUrls'),
      logs: logs.map(({url, majorApiVersion}) => {
        return {url: checkUrl(url, 'rekorTlogUrls'), version: majorApiVersion === 2 ? 2 : 1}
      }),
      tsaUrls: clocks.map(({url}) => checkUrl(url, 'tsaUrls')),
    }
  } catch (cause) {
    throw invalid(source, (cause as Error).message, cause)
  }
}

interface SigningConfig {
  readonly mediaType?: unknown
  readonly caUrls?: readonly Service[]
  readonly rekorTlogUrls?: readonly Service[]
  readonly rekorTlogConfig?: Selection
  readonly tsaUrls?: readonly Service[]
  readonly tsaConfig?: Selection
}

interface Service {
  readonly url: string
  readonly majorApiVersion: number
  readonly validFor?: {readonly start?: string; readonly end?: string}
  readonly operator?: string
}

interface Selection {
  readonly selector?: string
  readonly count?: number
}

/**
 * As the specification of SigningConfig wants it: only services valid now, of each operator the newest API version
 * that is supported, the latest start first; then one, all, or exactly as many as are asked for.
 */
function choose(services: readonly Service[] = [], selection: Selection | undefined, maxVersion: number): Service[] {
  const now = Date.now()
  const usable = services
    .filter(({majorApiVersion}) => majorApiVersion >= 1 && majorApiVersion <= maxVersion)
    .filter(({validFor = {}}) => startOf(validFor) <= now && now <= endOf(validFor))
    .toSorted(
      (left, right) =>
        right.majorApiVersion - left.majorApiVersion || startOf(right.validFor ?? {}) - startOf(left.validFor ?? {}),
    )
  const perOperator = [...Map.groupBy(usable, ({operator = ''}) => operator).values()].flatMap(
    ([newest]) => newest ?? [],
  )
  if (!selection || usable.length === 0) return []
  if (selection.selector === 'ANY') return perOperator.slice(0, 1)
  if (selection.selector === 'ALL') return perOperator
  const {count = 0} = selection
  if (selection.selector !== 'EXACT' || count < 1) throw new Error(`unknown selector ${String(selection.selector)}`)
  if (perOperator.length < count)
    throw new Error(`${count} services are asked for, ${perOperator.length} are valid now`)
  return perOperator.slice(0, count)
}

function startOf({start}: {readonly start?: string}): number {
  return start === undefined ? Number.NEGATIVE_INFINITY : Date.parse(start)
}

function endOf({end}: {readonly end?: string}): number {
  return end === undefined ? Number.POSITIVE_INFINITY : Date.parse(end)
}

function invalid(source: string, why: string, cause?: unknown): AtomError {
  return new AtomError('CONFIG_INVALID', `${source} is not a Sigstore signing config that can be used: ${why}`, {
    hint: 'get signing_config.json from whoever runs that Sigstore: cosign signing-config create makes one',
    cause,
  })
}
