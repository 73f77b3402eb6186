import {readFileSync} from 'node:fs'
import {readFile, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import type {JsonObject} from '@atomctl/wpk/canonical'
import type {Sandbox} from '../../support/atomctl.ts'
import {writePackage} from '../../support/packages.ts'
import {runCosign} from '../cosign.ts'
import {IDENTITY, identityToken, ISSUER, type LoopbackSigstore} from '../sigstore/index.ts'
import {type BundleVector, readIndex, type VectorIndex} from '../vectors.ts'

/** Whom a signature has to be from: what both programs are told by their flags. */
export interface Trust {
  /** File of the public key; without it the signer is a certificate's. */
  readonly key?: string | undefined
  readonly trustedRoot?: string | undefined
  readonly identity?: string | undefined
  readonly issuer?: string | undefined
}

/** A good bundle, the file it is over, and whom it is from. Paths are absolute. */
export interface Original {
  readonly name: string
  readonly bundle: JsonObject
  readonly artifact: string
  readonly trust: Trust
}

const PREDICATE = {predicate: '{"checked": true}', type: 'https://example.com/p/v1'}

/** Signs a file and a package by key, with Rekor v1 and with Rekor v2; cosign, where it is, adds what only it makes. */
export async function makeOriginals(
  sandbox: Sandbox,
  sigstore: LoopbackSigstore,
  cosign: string | undefined,
): Promise<Original[]> {
  await writeFile(sandbox.path('blob.bin'), 'some bytes')
  await expectGood(sandbox, ['keys', 'generate', '--no-trust'])
  const byKey = {key: sandbox.path('cosign.pub')}
  const byName = {trustedRoot: sigstore.trustedRoot, identity: IDENTITY, issuer: ISSUER}
  const keyless = (version: 1 | 2): string[] => [
    '--keyless',
    '--signing-config',
    sigstore.signingConfigs[version],
    '--identity-token',
    identityToken(),
  ]
  const originals: Original[] = []
  for (const [name, flags, trust] of [
    ['key', [], byKey],
    ['Rekor v1', keyless(1), byName],
    ['Rekor v2', keyless(2), byName],
  ] as const) {
    originals.push(await signBlob(sandbox, name, flags, trust))
    originals.push(await signPackage(sandbox, name, flags, trust))
  }
  if (cosign !== undefined) {
    for (const version of [1, 2] as const) originals.push(await cosignByKey(sandbox, sigstore, cosign, version))
  }
  return originals
}

async function expectGood(sandbox: Sandbox, args: readonly string[]): Promise<string> {
  const {code, stdout, stderr} = await sandbox.atomctl(args)
  if (code !== 0) throw new Error(`atomctl ${args.join(' ')}: ${stderr}`)
  return stdout
}

async function signBlob(sandbox: Sandbox, name: string, flags: readonly string[], trust: Trust): Promise<Original> {
  await expectGood(sandbox, ['sign', '--detached', 'blob.bin', ...flags])
  const bundle = await readBundle(sandbox.path('blob.bin.sigstore.json'))
  return {name: `a file signed by ${name}`, bundle, artifact: sandbox.path('blob.bin'), trust}
}

async function signPackage(sandbox: Sandbox, name: string, flags: readonly string[], trust: Trust): Promise<Original> {
  const file = await writePackage(sandbox, {name: name.toLowerCase().replace(' ', '-')})
  await expectGood(sandbox, ['sign', file, ...flags])
  const artifact = sandbox.path(`${file}.jcs.json`)
  await writeFile(artifact, await expectGood(sandbox, ['verify', file, '--print-payload']))
  const bundle = JSON.parse(await expectGood(sandbox, ['verify', file, '--print-bundle'])) as JsonObject
  return {name: `a package signed by ${name}`, bundle, artifact, trust}
}

/** A signature by key that a log and a clock have witnessed: checked with a trusted root beside the key. */
async function cosignByKey(
  sandbox: Sandbox,
  sigstore: LoopbackSigstore,
  cosign: string,
  version: 1 | 2,
): Promise<Original> {
  const services = ['--signing-config', sigstore.signingConfigs[version]]
  const what = version === 1 ? [] : ['--predicate', 'predicate.json', '--type', PREDICATE.type]
  await writeFile(sandbox.path('predicate.json'), PREDICATE.predicate)
  const output = `witnessed-${version}.sigstore.json`
  const command = version === 1 ? 'sign-blob' : 'attest-blob'
  const args = [command, '-y', '--key', 'cosign.key', ...services, ...what, '--bundle', output, 'blob.bin']
  const {code, output: said} = await runCosign(cosign, args, sandbox.home)
  if (code !== 0) throw new Error(`cosign ${args.join(' ')}: ${said}`)
  const trust = {key: sandbox.path('cosign.pub'), trustedRoot: sigstore.trustedRoot}
  const name = `what cosign signed by key with Rekor v${version}`
  return {name, bundle: await readBundle(sandbox.path(output)), artifact: sandbox.path('blob.bin'), trust}
}

async function readBundle(path: string): Promise<JsonObject> {
  return JSON.parse(await readFile(path, 'utf8')) as JsonObject
}

/** The bundles among the shared vectors that are good, to us and, by what is known of them, to cosign. */
export function vectorOriginals(vectors: string): Original[] {
  return ['conformance', 'cosign'].flatMap((name) => {
    const folder = join(vectors, name)
    const {vectors: cases, bundles, attestations}: Partial<VectorIndex> = readIndex(folder)
    return [cases, bundles, attestations]
      .flatMap((list) => list ?? [])
      .filter(isGood)
      .map((vector) => originalOf(folder, vector))
  })
}

function isGood({bundle, expect, cosign}: BundleVector & {readonly cosign?: string}): boolean {
  return bundle !== undefined && expect === 'pass' && cosign !== 'fail'
}

function originalOf(folder: string, vector: BundleVector): Original {
  const file = (path: string | undefined): string | undefined => (path === undefined ? path : join(folder, path))
  const {key, trustedRoot, certificateIdentity: identity, certificateOidcIssuer: issuer} = vector
  return {
    name: `the vector ${vector.name ?? vector.bundle}`,
    bundle: JSON.parse(readFileSync(file(vector.bundle) ?? '', 'utf8')) as JsonObject,
    artifact: file(vector.artifact) ?? '',
    trust: {key: file(key), trustedRoot: file(trustedRoot), identity, issuer},
  }
}
