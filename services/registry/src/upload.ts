import type {MultipartFile} from '@fastify/multipart'
import type {FastifyRequest} from 'fastify'
import {invalidInput, Refusal} from './refusal.ts'
import {spoolBytes, type Spool} from './spool.ts'

export interface UploadOptions {
  /** Largest package in bytes. */
  readonly packageBytes: number
  readonly spoolDirectory: string
}

export interface Upload {
  readonly file: Spool
  /** The detached bundle of an archive. */
  readonly bundle: Spool | undefined
}

const BUNDLE_BYTES = 1024 * 1024
const PARTS = {fields: 16, files: 8, fieldSize: 64 * 1024, headerPairs: 32}

/**
 * Receives the parts `file` and `bundle` of a push (protocol section 2.2), calls `use`, and lets go of them whatever
 * happens. File name and content type of a part mean nothing; of two parts of one name the last counts.
 */
export async function withUpload<T>(
  request: FastifyRequest,
  options: UploadOptions,
  use: (upload: Upload) => Promise<T>,
): Promise<T> {
  const spools = new Map<string, Spool>()
  try {
    await receiveParts(request, options, spools)
    const file = spools.get('file')
    if (!file) throw invalidInput(['body', 'file'], 'field required', 'missing')
    return await use({file, bundle: spools.get('bundle')})
  } finally {
    await Promise.all([...spools.values()].map((spool) => spool.close()))
  }
}

async function receiveParts(
  request: FastifyRequest,
  options: UploadOptions,
  spools: Map<string, Spool>,
): Promise<void> {
  if (!request.isMultipart()) throw invalidInput(['body', 'file'], 'field required', 'missing')
  checkLength(request, options)
  const limits = {...PARTS, fileSize: options.packageBytes}
  for await (const part of readParts(request, limits)) {
    if (part.type === 'field') {
      if (part.fieldname === 'file')
        throw invalidInput(['body', 'file'], 'Expected UploadFile, a part with a file name')
      continue
    }
    const spool = await spoolPart(part, options)
    await spools.get(part.fieldname)?.close()
    spools.set(part.fieldname, spool)
  }
}

/** Refuses what says of itself that it is too large before any of it is sent. */
function checkLength(request: FastifyRequest, {packageBytes}: UploadOptions): void {
  const length = Number(request.headers['content-length'] ?? 0)
  if (length > packageBytes + 2 * BUNDLE_BYTES) throw tooLarge('file', packageBytes)
}

/** Whatever goes wrong while parsing is the sender's doing; what goes wrong while storing is thrown elsewhere. */
async function* readParts(request: FastifyRequest, limits: object) {
  const parts = openParts(request, limits)
  for (;;) {
    const next = await parts.next().catch((error: unknown) => {
      throw parsingError(error)
    })
    if (next.done) return
    yield next.value
  }
}

function openParts(request: FastifyRequest, limits: object) {
  try {
    return request.parts({limits, isPartAFile: (_name, _type, fileName) => Boolean(fileName)})
  } catch (error) {
    throw parsingError(error)
  }
}

function parsingError(error: unknown): unknown {
  const {code = '', statusCode, message = ''} = error as {code?: string; statusCode?: number; message?: string}
  if (statusCode === 413) return new Refusal(413, 'Too many parts, or a part is too large', {cause: error})
  const detail = /boundary not found/i.test(message)
    ? 'Missing boundary in multipart.'
    : 'There was an error parsing the body'
  return new Refusal(400, detail, {code: 'REQUEST_REJECTED', cause: code || error})
}

async function spoolPart(part: MultipartFile, {packageBytes, spoolDirectory}: UploadOptions): Promise<Spool> {
  const limit = part.fieldname === 'bundle' ? BUNDLE_BYTES : packageBytes
  let received = 0
  async function* limited(): AsyncGenerator<Uint8Array> {
    for await (const chunk of part.file as AsyncIterable<Uint8Array>) {
      received += chunk.length
      if (received > limit || part.file.truncated) throw tooLarge(part.fieldname, limit)
      yield chunk
    }
    if (part.file.truncated) throw tooLarge(part.fieldname, limit)
  }
  try {
    return await spoolBytes(limited(), spoolDirectory)
  } catch (error) {
    if (error instanceof Refusal) throw error
    throw isSystemError(error) ? unwritable(error) : parsingError(error)
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

function unwritable(error: NodeJS.ErrnoException): Refusal {
  const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT'
  const code = isFull ? 'STORAGE_FULL' : 'UNAVAILABLE'
  return new Refusal(isFull ? 507 : 503, `The upload cannot be stored (${error.code})`, {code, cause: error})
}

function tooLarge(part: string, limit: number): Refusal {
  return new Refusal(413, `The ${part} is larger than ${limit} bytes`, {
    code: 'ARCHIVE_TOO_LARGE',
    hint: 'leave out what the workflow does not need, or split the package',
  })
}
