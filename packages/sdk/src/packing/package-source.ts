import {inputFailure} from '../files/index.ts'
import {oneLine} from '../output/index.ts'
import type {ArchiveFileInfo, PackageFile} from '@atomctl/wpk/archive'
import type {WpkDocument} from '@atomctl/wpk/document'

/** A package before it is packed: a document alone, or a directory with its document and the files beside it. */
export interface PackageSource {
  /** The document's own file. */
  readonly path: string
  /** Whether it is a directory with everything in it, and not a document alone. */
  readonly isDirectory: boolean
  readonly document: WpkDocument
  /** Files of the package other than the document. */
  readonly files: readonly PackageFile[]
}

/**
 * Reads and checks the package that a FILE or a DIRECTORY is.
 * @throws INPUT_MISSING, INPUT_UNREADABLE, WPK_UNREADABLE, WPK_INVALID, ARCHIVE_INVALID, ARCHIVE_TOO_LARGE
 */
export async function readSource(fileOrDirectory: string): Promise<PackageSource> {
  const [{collectFiles}, {loadDocument}] = await Promise.all([
    import('@atomctl/wpk/archive'),
    import('@atomctl/wpk/document'),
  ])
  const {document: found, files} = await collectFiles(fileOrDirectory).catch((error: unknown) => {
    throw inputFailure((error as NodeJS.ErrnoException).path ?? fileOrDirectory, error)
  })
  const document = loadDocument(found.bytes, oneLine(found.path))
  return {path: found.path, isDirectory: found.path !== fileOrDirectory, document, files}
}

/** The same with the digest of every file: what a signature covers, and what packing then insists on. */
export async function digestSource(source: PackageSource): Promise<DigestedSource> {
  const {digestFiles} = await import('@atomctl/wpk/archive')
  return {...source, files: await digestFiles(source.files)}
}

export interface DigestedSource extends PackageSource {
  readonly files: readonly (PackageFile & ArchiveFileInfo)[]
}
