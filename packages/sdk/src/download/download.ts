import {createWriteStream} from 'node:fs'
import {access, link, mkdtemp, rename, rm} from 'node:fs/promises'
import {dirname, join, resolve} from 'node:path'
import {Readable} from 'node:stream'
import {pipeline} from 'node:stream/promises'
import type {AtomContext} from '../context.ts'
import {type VerifiedWorkflow, verifyFile} from '../enforcement.ts'
import {AtomError, isAtomError} from '../errors.ts'
import {writeFailure, writeFileSafely} from '../files/index.ts'
import type {RegistryClient} from '../registry/index.ts'

/** A workflow that was downloaded, and the file that it is now. */
export interface PulledPackage {
  id: string
  file: string
  digest: string
  /** Bytes. */
  size: number
  signers: string[]
}

export interface DownloadOptions {
  path: string | undefined
  force: boolean
}

/**
 * Writes a verified workflow to a file: the bytes as they were pushed where the registry hands them out, else the
 * document it returned. The download is verified again, in a private directory beside the target: a registry can
 * list one thing and serve another.
 * @throws OUTPUT_EXISTS, WPK_TAMPERED when the bytes are not the verified document, and what verifying throws.
 */
export async function downloadPackage(
  workflow: VerifiedWorkflow,
  context: AtomContext,
  {path, force}: DownloadOptions,
): Promise<PulledPackage> {
  const registry = await context.registry()
  const stored = await registry.download(workflow.id)
  const target = resolve(
    path ?? `${workflow.id}${stored?.mediaType === 'application/gzip' ? '.wpk.tar.gz' : '.wpk.yaml'}`,
  )
  if (!force) await refuseExisting(target)
  if (!stored) return writeDocument(workflow, target)
  return context.interruption.defer(() => saveVerified(workflow, stored, target, context, force))
}

type StoredContent = NonNullable<Awaited<ReturnType<RegistryClient['download']>>>

async function saveVerified(
  workflow: VerifiedWorkflow,
  stored: StoredContent,
  target: string,
  context: AtomContext,
  force: boolean,
): Promise<PulledPackage> {
  const directory = await mkdtemp(join(dirname(target), '.atomctl-pull-')).catch((error: unknown) => {
    throw writeFailure(target, error)
  })
  try {
    const file = join(directory, 'package')
    await pipeline(Readable.from(bounded(stored)), createWriteStream(file, {mode: 0o644}), {
      signal: context.interruption.signal,
    }).catch((error: unknown) => {
      throw diskFailure(target, error)
    })
    const {verified, package: local} = await verifyFile(file, context).catch((error: unknown) => {
      throw nameServed(error, file, workflow.id)
    })
    requireSame(workflow, verified.digest)
    // a link fails where a file appeared meanwhile, a rename would replace it
    await (force ? rename(file, target) : link(file, target)).catch((error: unknown) => {
      throw writeFailure(target, error)
    })
    return {id: workflow.id, file: target, digest: local.digest, size: local.size, signers: signersOf(workflow)}
  } finally {
    await rm(directory, {recursive: true, force: true})
  }
}

/** The file that was refused is gone when its error is read: the message names what it was, and there is nothing to sign. */
function nameServed(error: unknown, file: string, id: string): unknown {
  if (!isAtomError(error)) return error
  const {code, message, details, cause} = error
  const said = message.replaceAll(file, `what the registry serves as ${id}`)
  return new AtomError(code, said, {...(details === undefined ? {} : {details}), cause})
}

/** What a package can be at most; a registry that sends more must not fill the disk. @throws ARCHIVE_TOO_LARGE */
async function* bounded({chunks, mediaType}: StoredContent): AsyncIterable<Uint8Array> {
  const {DEFAULT_LIMITS} = await import('@atomctl/wpk/archive')
  const limit = mediaType === 'application/gzip' ? DEFAULT_LIMITS.compressedBytes : DEFAULT_LIMITS.documentBytes
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.byteLength
    if (size > limit) {
      throw new AtomError('ARCHIVE_TOO_LARGE', `the registry sends more than ${limit} bytes, which no package has`)
    }
    yield chunk
  }
}

function requireSame(workflow: VerifiedWorkflow, digest: string): void {
  if (workflow.verified.digest === digest) return
  throw new AtomError('WPK_TAMPERED', `${workflow.id}: the registry serves another document than it lists`, {
    details: {listed: workflow.verified.digest, served: digest},
  })
}

// Only the file system's own errors are about writing; a connection that broke says so itself.
function diskFailure(target: string, error: unknown): unknown {
  const {syscall} = error as NodeJS.ErrnoException
  return syscall === 'write' || syscall === 'open' ? writeFailure(target, error) : error
}

async function writeDocument(workflow: VerifiedWorkflow, target: string): Promise<PulledPackage> {
  const {stringifyYaml} = await import('@atomctl/wpk/document')
  const text = stringifyYaml(workflow.verified.document.value)
  await writeFileSafely(target, text)
  const {hash} = await import('node:crypto')
  return {
    id: workflow.id,
    file: target,
    digest: `sha256:${hash('sha256', text, 'hex')}`,
    size: Buffer.byteLength(text),
    signers: signersOf(workflow),
  }
}

function signersOf({verified}: VerifiedWorkflow): string[] {
  return verified.verification.signers.map(({key, fingerprint, identity, issuer}) =>
    identity === undefined ? (key ? `${key} (${fingerprint})` : fingerprint) : `${identity} (issuer ${issuer})`,
  )
}

async function refuseExisting(path: string): Promise<void> {
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (exists) throw new AtomError('OUTPUT_EXISTS', `${path} exists`, {hint: 'add --force to replace it'})
}
