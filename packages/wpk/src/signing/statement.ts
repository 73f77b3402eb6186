import * as z from 'zod'
import type {ArchiveFileInfo} from '../archive/members.ts'
// Not the room's index: verifying must not wait for tar-stream to load.
import {checkPath, comparePaths, DOCUMENT_NAME, PathSet} from '../archive/paths.ts'
import {documentDigest} from '../canonical.ts'
import type {WpkDocument} from '../document/index.ts'
import {AtomError} from '../errors.ts'
import {describeIssue, malformed} from './bundle.ts'
import {parseStrictJson} from './json.ts'

/** A file of the package as its signature covers it. */
export type SignedFile = ArchiveFileInfo

export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1'
export const PREDICATE_TYPE = 'https://atomctl.dev/attestations/wpk/v1'
/** Name of the first subject: the canonical JSON of the document, which is what `--print-payload` prints. */
export const DOCUMENT_SUBJECT = 'wpk.jcs.json'

/** What a package's signature says, checked field by field. */
export interface Statement {
  readonly name: string
  readonly version: string
  /** `sha256:<hex>` of the canonical document. */
  readonly documentDigest: string
  readonly files: readonly SignedFile[]
  readonly registry: string | undefined
}

export interface StatementOptions {
  readonly files?: readonly SignedFile[]
  /** The only registry the package may be taken from. */
  readonly registry?: string
}

/** The in-toto statement to sign for a document and the files that belong to it. */
export function writeStatement(document: WpkDocument, options: StatementOptions = {}): object {
  const files = [...(options.files ?? [])].sort((left, right) => comparePaths(left.path, right.path))
  checkFiles(files, (why) => new AtomError('ARCHIVE_INVALID', `the files cannot be signed: ${why}`))
  const digest = documentDigest(document.value).replace('sha256:', '')
  const subjects = files.map(({path, sha256}) => ({name: path, digest: {sha256}}))
  return {
    _type: STATEMENT_TYPE,
    subject: [{name: DOCUMENT_SUBJECT, digest: {sha256: digest}}, ...subjects],
    predicateType: PREDICATE_TYPE,
    predicate: {
      name: document.name,
      version: document.version,
      canonicalization: 'RFC8785',
      excludes: ['/metadata/signature'],
      files: files.map(({path, size, exec}) => ({path, size, exec})),
      ...(options.registry !== undefined && {registry: normalizeRegistry(options.registry)}),
    },
  }
}

const subject = z.strictObject({
  name: z.string().min(1),
  digest: z.strictObject({sha256: z.string().regex(/^[0-9a-f]{64}$/)}),
})

const predicate = z.strictObject({
  name: z.string().min(1),
  version: z.string().min(1),
  canonicalization: z.literal('RFC8785'),
  excludes: z.tuple([z.literal('/metadata/signature')]),
  files: z.array(z.strictObject({path: z.string(), size: z.int().min(0), exec: z.boolean()})),
  registry: z.string().min(1).optional(),
})

const statement = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([subject], subject),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate,
})

/** Reads a signed payload as the statement of a package. Throws SIGNATURE_MALFORMED for any other statement. */
export function readStatement(payload: Uint8Array): Statement {
  const parsed = statement.safeParse(parsePayload(payload))
  if (!parsed.success) throw malformed(`not a statement about a workflow package (${describeIssue(parsed.error)})`)
  const {subject: subjects, predicate: claims} = parsed.data
  const [first, ...others] = subjects
  if (first.name !== DOCUMENT_SUBJECT) throw malformed(`its first subject is not ${DOCUMENT_SUBJECT}`)
  const {name, version, registry} = claims
  const files = joinFiles(others, claims.files)
  return {name, version, registry, files, documentDigest: `sha256:${first.digest.sha256}`}
}

/** The JSON of a signed payload. Throws SIGNATURE_MALFORMED. */
export function parsePayload(payload: Uint8Array): unknown {
  try {
    return parseStrictJson(payload)
  } catch (cause) {
    throw malformed('its payload is not JSON with unique keys', cause)
  }
}

/** Digests stand in the subjects, size and mode in the predicate; both lists must name the same files in order. */
function joinFiles(
  subjects: readonly z.infer<typeof subject>[],
  files: z.infer<typeof predicate>['files'],
): SignedFile[] {
  if (subjects.length !== files.length) throw malformed('its subjects and its list of files differ')
  const joined = files.map((file, index) => ({...file, sha256: digestOf(file.path, subjects[index])}))
  checkFiles(joined, malformed)
  return joined
}

function digestOf(path: string, entry: z.infer<typeof subject> | undefined): string {
  if (entry?.name !== path) throw malformed('its subjects and its list of files differ')
  return entry.digest.sha256
}

function checkFiles(files: readonly SignedFile[], refuse: (why: string) => AtomError): void {
  const paths = new PathSet()
  paths.add(DOCUMENT_NAME)
  try {
    for (const {path} of files) paths.add(checkPath(path))
  } catch (error) {
    throw refuse((error as Error).message)
  }
  const sorted = files.every(({path}, index) => index === 0 || comparePaths(files[index - 1]?.path ?? '', path) < 0)
  if (!sorted) throw refuse('its list of files is not sorted')
}

/** One spelling for one registry: lower-case host, no default port, no trailing slash. */
export function normalizeRegistry(registry: string): string {
  return URL.canParse(registry) ? new URL(registry).href.replace(/\/+$/, '') : registry
}
