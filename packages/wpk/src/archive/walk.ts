import {createHash} from 'node:crypto'
import {pipeline} from 'node:stream/promises'
import {AtomError, isAtomError} from '../errors.ts'
import {StreamComparison} from './comparison.ts'
import {type ArchiveLimits, checkLimit} from './limits.ts'
import {type ArchiveFileInfo, notCanonical, startMember} from './members.ts'
import {checkPath, comparePaths, DOCUMENT_NAME, PathSet} from './paths.ts'
import {createTarReader, createTarWriter, type Header, type TarEntry} from './tar.ts'

type Member = Omit<ArchiveFileInfo, 'sha256'>

/** Where a member's bytes go while they are read; `close` is called exactly once, also after a failure. */
export interface MemberSink {
  write(chunk: Uint8Array): Promise<void>
  close(): Promise<void>
}

export type OpenSink = (member: Member) => Promise<MemberSink | undefined>

/**
 * One pass over a tar stream: parse it, write it again canonically, compare both byte by byte. tar-stream reads
 * leniently (PAX, GNU names, data after the end); the comparison is what refuses all of that.
 */
export class TarWalk {
  readonly #limits: ArchiveLimits
  readonly #open: OpenSink
  readonly #extract = createTarReader()
  readonly #rewritten = createTarWriter()
  readonly #comparison = new StreamComparison()
  readonly #paths = new PathSet()
  readonly #files: ArchiveFileInfo[] = []
  #members = 0
  #document: Buffer | undefined
  #mtime: Date | undefined
  #previous = ''
  #failure: Error | undefined

  constructor(limits: ArchiveLimits, open: OpenSink) {
    this.#limits = limits
    this.#open = open
    this.#rewritten.on('data', (chunk: Uint8Array) => this.#compare('rewritten', chunk))
    this.#rewritten.on('error', () => undefined) // only ever the echo of a failure that is reported already
  }

  async run(tar: AsyncIterable<Uint8Array>): Promise<{documentBytes: Uint8Array; files: ArchiveFileInfo[]}> {
    const halves = await Promise.allSettled([
      pipeline(this.#follow(tar), this.#extract),
      this.#readMembers().catch((error: unknown) => this.#fail(error)),
    ])
    this.#rewritten.destroy()
    if (this.#failure) throw this.#failure
    const rejected = halves.find((half) => half.status === 'rejected')
    if (rejected) throw notCanonical('it is not a complete tar', rejected.reason)
    if (!this.#comparison.end()) throw this.#differs()
    if (!this.#document) throw new AtomError('ARCHIVE_INVALID', `the archive has no ${DOCUMENT_NAME}`)
    return {documentBytes: this.#document, files: this.#files}
  }

  /** Keeps the first failure and stops both halves; what they throw afterwards is only its echo. */
  #fail(error: unknown): void {
    this.#failure ??= error as Error
    this.#extract.destroy(this.#failure)
  }

  async *#follow(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of tar) {
        this.#compare('original', chunk)
        yield chunk
      }
    } catch (error) {
      this.#failure ??= error as Error
      throw error
    }
  }

  async #readMembers(): Promise<void> {
    try {
      for await (const entry of this.#extract) await this.#readMember(entry)
    } catch (error) {
      // tar-stream's own complaints are plain errors: what it cannot parse is not a canonical archive.
      throw isAtomError(error) || this.#failure ? error : notCanonical('it is not a well-formed tar', error)
    }
    if (this.#failure) return
    this.#rewritten.finalize()
    await new Promise<void>((resolve) => this.#rewritten.once('close', resolve))
  }

  async #readMember(entry: TarEntry): Promise<void> {
    const member = this.#checkHeader(entry.header)
    const content = new MemberContent(member.path === DOCUMENT_NAME, await this.#openSink(member))
    const chunks = content.follow(entry, (error) => this.#fail(error))
    await pipeline(chunks, startMember(this.#rewritten, member, this.#mtime ?? new Date(0)))
    if (content.kept) this.#document = Buffer.concat(content.kept)
    else this.#files.push({...member, sha256: content.digest.digest('hex')})
  }

  async #openSink(member: Member): Promise<MemberSink | undefined> {
    try {
      return await this.#open(member)
    } catch (error) {
      this.#fail(error)
      throw error
    }
  }

  #checkHeader(header: Header): Member {
    const path = checkPath(header.name)
    if (header.type !== 'file') throw notCanonical(`${path} is of type ${header.type}; only regular files are allowed`)
    if (comparePaths(this.#previous, path) >= 0) throw notCanonical(`${path} is out of order or there twice`)
    this.#paths.add(path)
    this.#previous = path
    this.#checkTime(path, header.mtime)
    return this.#checkMember({path, size: header.size, exec: (header.mode & 0o100) !== 0})
  }

  #checkTime(path: string, mtime: Date): void {
    this.#mtime ??= mtime
    if (mtime.getTime() !== this.#mtime.getTime()) throw notCanonical(`${path} has another time than the rest`)
  }

  #checkMember(member: Member): Member {
    const {path, size, exec} = member
    const isDocument = path === DOCUMENT_NAME
    checkLimit(`size of ${path} in bytes`, size, isDocument ? this.#limits.documentBytes : this.#limits.fileBytes)
    checkLimit('number of files in the archive', ++this.#members, this.#limits.files)
    if (isDocument && exec) throw notCanonical(`${path} is executable`)
    return member
  }

  #compare(side: 'original' | 'rewritten', chunk: Uint8Array): void {
    if (!this.#failure && !this.#comparison.add(side, chunk)) this.#fail(this.#differs())
  }

  #differs(): AtomError {
    return notCanonical(`byte ${this.#comparison.offset} of the tar is not what packing writes`)
  }
}

/** The bytes of one member on their way: hashed, kept when they are the document, handed to the sink. */
class MemberContent {
  readonly digest = createHash('sha256')
  readonly kept: Uint8Array[] | undefined
  readonly #sink: MemberSink | undefined

  constructor(keep: boolean, sink: MemberSink | undefined) {
    this.kept = keep ? [] : undefined
    this.#sink = sink
  }

  /** Passes the chunks on; `onSinkError` hears of a failing sink, whose error tar-stream would only wrap. */
  async *follow(chunks: AsyncIterable<Uint8Array>, onSinkError: (error: unknown) => void): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of chunks) {
        this.digest.update(chunk)
        this.kept?.push(chunk)
        await this.#sink?.write(chunk).catch(onSinkError)
        yield chunk
      }
    } finally {
      await this.#sink?.close().catch(onSinkError)
    }
  }
}
