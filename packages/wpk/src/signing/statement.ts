import type {ArchiveFileInfo} from '../archive/members.ts'
// Not the room's index: verifying must not wait for tar-stream to load.
import {checkPath, comparePaths, DOCUMENT_NAME, PathSet} from '../archive/paths.ts'
import {documentDigest} from '../canonical.ts'
import type {WpkDocument} from '../document/index.ts'
import {AtomError} from '../errors.ts'
import {parsePayload} from './envelope.ts'
import {malformed} from './malformed.ts'
import {type Provenance, readProvenance} from './provenance.ts'
import {normalizeRegistry} from './registry.ts'
import {readFields, readList, readOneOf, readText} from './shape.ts'

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
  readonly provenance: Provenance | undefined
}

export interface StatementOptions {
  readonly files?: readonly SignedFile[]
  /** The only registry the package may be taken from. */
  readonly registry?: string
  /** Who built the package, where and from what. */
  readonly provenance?: Provenance
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
      ...(options.provenance !== undefined && {provenance: readProvenance(options.provenance)}),
    },
  }
}

interface Subject {
  readonly name: string
  readonly sha256: string
}

/** Reads a signed payload as the statement of a package. Throws SIGNATURE_MALFORMED for any other statement. */
export function readStatement(payload: Uint8Array): Statement {
  const names = ['_type', 'subject', 'predicateType', 'predicate'] as const
  const statement = readFields(parsePayload(payload), 'statement', names)
  readOneOf(statement._type, '_type', [STATEMENT_TYPE])
  readOneOf(statement.predicateType, 'predicateType', [PREDICATE_TYPE])
  const [first, ...others] = readList(statement.subject, 'subject').map(readSubject)
  if (first?.name !== DOCUMENT_SUBJECT) throw malformed(`its first subject is not ${DOCUMENT_SUBJECT}`)
  const {files, ...claims} = readPredicate(statement.predicate)
  return {...claims, files: joinFiles(others, files), documentDigest: `sha256:${first.sha256}`}
}

function readSubject(value: unknown): Subject {
  const {name, digest} = readFields(value, 'subject', ['name', 'digest'])
  const sha256 = readText(readFields(digest, 'subject.digest', ['sha256']).sha256, 'subject.digest.sha256')
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw malformed('subject.digest.sha256: not 64 hex digits')
  return {name: readText(name, 'subject.name'), sha256}
}

type FileClaim = Omit<SignedFile, 'sha256'>

function readPredicate(
  value: unknown,
): Pick<Statement, 'name' | 'version' | 'registry' | 'provenance'> & {files: FileClaim[]} {
  const names = ['name', 'version', 'canonicalization', 'excludes', 'files', 'registry', 'provenance'] as const
  const predicate = readFields(value, 'predicate', names)
  readOneOf(predicate.canonicalization, 'predicate.canonicalization', ['RFC8785'])
  const excludes = readList(predicate.excludes, 'predicate.excludes')
  if (excludes.length !== 1) throw malformed('predicate.excludes: not exactly the signature')
  readOneOf(excludes[0], 'predicate.excludes[0]', ['/metadata/signature'])
  return {
    name: readText(predicate.name, 'predicate.name'),
    version: readText(predicate.version, 'predicate.version'),
    registry: predicate.registry === undefined ? undefined : readText(predicate.registry, 'predicate.registry'),
    provenance: predicate.provenance === undefined ? undefined : readProvenance(predicate.provenance),
    files: readList(predicate.files, 'predicate.files').map(readFile),
  }
}

function readFile(value: unknown): FileClaim {
  const {path, size, exec} = readFields(value, 'predicate.files', ['path', 'size', 'exec'])
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw malformed('predicate.files: size is not a count')
  if (typeof exec !== 'boolean') throw malformed('predicate.files: exec is not true or false')
  return {path: readText(path, 'predicate.files.path'), size: size as number, exec}
}

/** Digests stand in the subjects, size and mode in the predicate; both lists must name the same files in order. */
function joinFiles(subjects: readonly Subject[], files: readonly FileClaim[]): SignedFile[] {
  if (subjects.length !== files.length) throw malformed('its subjects and its list of files differ')
  const joined = files.map((file, index) => ({...file, sha256: digestOf(file.path, subjects[index])}))
  checkFiles(joined, malformed)
  return joined
}

function digestOf(path: string, subject: Subject | undefined): string {
  if (subject?.name !== path) throw malformed('its subjects and its list of files differ')
  return subject.sha256
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
