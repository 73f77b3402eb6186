import {createHash} from 'node:crypto'
import {createReadStream, existsSync} from 'node:fs'
import {mkdir} from 'node:fs/promises'
import {join} from 'node:path'
import {AtomError} from '@atomctl/sdk/errors'
import * as z from 'zod'
import type {Npm} from './npm.ts'
import type {Specification} from './specification.ts'

/** A plugin's tarball on this machine, not unpacked yet. */
export interface Tarball {
  readonly name: string
  readonly version: string
  readonly path: string
  readonly integrity: string
  /** The Sigstore bundle that came with it. */
  readonly bundle: string | undefined
}

// npm 12 answers an object by name, 11 and older a list.
const packed = z.looseObject({name: z.string(), version: z.string(), filename: z.string()})
const answer = z.union([z.array(packed).length(1), z.record(z.string(), packed)])

/**
 * Fetches the tarball that a specification means into a folder, as the registry serves it; npm checks the registry's own
 * integrity. The digest is taken of what arrived.
 */
export async function fetchTarball(
  spec: Specification,
  folder: string,
  bundle: string | undefined,
  npm: Npm,
): Promise<Tarball> {
  await mkdir(folder, {recursive: true})
  const result = answer.safeParse(await npm(['pack', `--pack-destination=${folder}`, '--', spec.text], folder))
  const [found] = result.success ? Object.values(result.data) : []
  const path = join(folder, found?.filename.replaceAll(/^@|\//g, (part) => (part === '/' ? '-' : '')) ?? '')
  if (!found || !existsSync(path)) {
    throw new AtomError('PLUGIN_INSTALL_FAILED', `npm answered nothing that can be understood about ${spec.text}`)
  }
  const {name, version} = found
  return {name, version, path, integrity: await integrityOf(path), bundle: bundle ?? bundleBeside(spec)}
}

async function integrityOf(path: string): Promise<string> {
  const digest = createHash('sha512')
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) digest.update(chunk)
  return `sha512-${digest.digest('base64')}`
}

function bundleBeside({kind, text}: Specification): string | undefined {
  const path = `${text}.sigstore.json`
  return kind === 'file' && existsSync(path) ? path : undefined
}
