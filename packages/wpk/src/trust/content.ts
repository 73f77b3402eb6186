import type {ArchiveFileInfo} from '../archive/members.ts'
import type {WpkDocument} from '../document/index.ts'
import {AtomError} from '../errors.ts'
import type {SignedFile, Statement} from '../signing/statement.ts'

export interface Expected {
  readonly name?: string
  readonly version?: string
}

/** Whoever answers a question for one package must not answer with another one, signed or not: at every level. */
export function checkExpected(document: WpkDocument, {name, version}: Expected): void {
  if (name !== undefined && name !== document.name) throw tampered(`asked for ${name}, got ${document.name}`)
  if (version !== undefined && version !== document.version) {
    throw tampered(`asked for version ${version} of ${document.name}, got ${document.version}`)
  }
}

/** Throws WPK_TAMPERED unless the statement is about exactly this document and these files. */
export function checkContent(
  document: WpkDocument,
  digest: string,
  statement: Statement,
  files: readonly ArchiveFileInfo[] | undefined,
): void {
  if (statement.documentDigest !== digest) {
    throw tampered(`${document.source} was changed after it was signed`)
  }
  if (statement.name !== document.name || statement.version !== document.version) {
    throw tampered(`the signature is for ${statement.name} ${statement.version}, not ${document.id}`)
  }
  if (files) checkFiles(statement.files, files)
}

/** Throws WPK_TAMPERED unless all signatures are over the same files: the ones a service fetches are then all signers'. */
export function checkSameFiles(statements: readonly Statement[]): void {
  const lists = new Set(statements.map(({files}) => JSON.stringify(files)))
  if (lists.size > 1) throw tampered('its signatures are over different files')
}

function checkFiles(signed: readonly SignedFile[], found: readonly ArchiveFileInfo[]): void {
  const missing = new Map(signed.map((file) => [file.path, file]))
  for (const file of found) {
    const expected = missing.get(file.path)
    if (!expected) throw tampered(`${file.path} is not covered by the signature`)
    if (!isSameFile(expected, file)) throw tampered(`${file.path} differs from what was signed`)
    missing.delete(file.path)
  }
  const [absent] = missing.keys()
  if (absent === undefined) return
  const hint = found.length === 0 ? 'name the directory or the tarball of the package, not its document' : undefined
  throw tampered(`${absent} was signed but is missing`, hint)
}

function isSameFile(signed: SignedFile, found: ArchiveFileInfo): boolean {
  return signed.sha256 === found.sha256 && signed.size === found.size && signed.exec === found.exec
}

export function tampered(
  message: string,
  hint = 'get the original again, or review the change and sign it: atomctl sign FILE',
): AtomError {
  return new AtomError('WPK_TAMPERED', message, {hint})
}
