// Damages archives at random and reads them: no crash, no hang, nothing outside the target folder, and nothing accepted
// but what was signed.   usage: node scripts/fuzz-archive.ts [--seconds N] [--seed S]      (needs a build)
import {mkdirSync, mkdtempSync, readdirSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {gunzipSync} from 'node:zlib'
import {
  type ArchiveContents,
  digestFiles,
  documentMember,
  extractArchive,
  packArchive,
  readArchive,
} from '@atomctl/wpk/archive'
import {loadDocument} from '@atomctl/wpk/document'
import {isAtomError} from '@atomctl/wpk/errors'
import {generateKeyPair, keyHint, loadSigner, parsePublicKey, signDocument} from '@atomctl/wpk/signing'
import {type TrustPolicy, verifyDocument} from '@atomctl/wpk/trust'
import {archiveAttacks} from '../packages/wpk/test/archive/attacks.ts'
import {bytesOf, gzip, samplePackage} from '../packages/wpk/test/archive/fixtures.ts'
import {type Chance, readCampaign, repeat, report} from './fuzzing.ts'

const LIMITS = {compressedBytes: 4 << 20, totalBytes: 8 << 20, ratioFloor: 1 << 20}
const REFUSALS = new Set([
  'ARCHIVE_INVALID',
  'ARCHIVE_TOO_LARGE',
  'WPK_INVALID',
  'WPK_UNREADABLE',
  'WPK_UNSIGNED',
  'WPK_TAMPERED',
  'SIGNATURE_MALFORMED',
  'SIGNER_UNTRUSTED',
])
const HANG_MS = 10_000

const TEXT = `apiVersion: v1
kind: WorkflowPackage
metadata: {name: fuzzed, version: "1.0.0", description: d, author: a, signature: ""}
spec:
  runtime: {type: shell}
  safety: {mode: manual}
  handlers: [{name: a, type: shell, config: {command: echo}}]
`

interface Original {
  readonly gz: Buffer
  readonly tar: Buffer
  /** What an accepted archive must say, whatever its bytes. */
  readonly meaning: string
  readonly policy: TrustPolicy
  /** Archives of the unit tests: hostile already. */
  readonly hostile: readonly Buffer[]
}

async function createOriginal(): Promise<Original> {
  const pair = await generateKeyPair('')
  const files = await digestFiles(samplePackage().filter(({path}) => path !== 'wpk.yaml'))
  const {text} = await signDocument(loadDocument(Buffer.from(TEXT), 'x'), await loadSigner(pair.privateKeyPem, ''), {
    files,
  })
  const gz = await bytesOf(packArchive([documentMember(Buffer.from(text)), ...files]))
  const hostile = await Promise.all(
    archiveAttacks(Buffer.from(text)).map(async ([, build]) => Buffer.from(await build())),
  )
  const policy = policyOf(pair.publicKeyPem)
  const meaning = meaningOf(await readArchive(streamOf(gz)), policy)
  return {gz, tar: gunzipSync(gz), meaning, policy, hostile}
}

function policyOf(publicKeyPem: string): TrustPolicy {
  const key = {
    name: 'k',
    publicKey: parsePublicKey(publicKeyPem),
    hint: keyHint(publicKeyPem),
    notAfter: undefined,
    revoked: false,
  }
  const scope = {registries: ['*'], packages: ['*']}
  const rule = {
    name: 'all',
    scope,
    level: 'strict',
    threshold: 1,
    signers: [{keys: ['k']}],
    bindRegistry: false,
  } as const
  return {
    source: undefined,
    default: {level: 'strict'},
    rules: [{...rule, signers: [{keys: ['k']}]}],
    keys: new Map([['k', key]]),
    keysByHint: new Map([[key.hint, key]]),
  }
}

/** What a verified archive says. Throws a refusal when it is not verified. */
function meaningOf({documentBytes, files}: ArchiveContents, policy: TrustPolicy): string {
  const verified = verifyDocument(loadDocument(documentBytes, 'x'), policy, {files})
  return JSON.stringify([verified.digest, files])
}

const streamOf = (bytes: Uint8Array) => (): Readable => Readable.from([bytes], {objectMode: false})

type Mutation = (bytes: Buffer, chance: Chance) => Buffer

const HEADER_FIELDS = [0, 100, 108, 116, 124, 136, 148, 156, 157, 257, 265, 297, 329, 337, 345, 500] as const

const MUTATIONS: readonly Mutation[] = [
  (bytes, chance) => splice(bytes, chance.below(bytes.length), 1, chance.bytes(1)),
  (bytes, chance) => splice(bytes, chance.below(bytes.length), 0, chance.bytes(1 + chance.below(600))),
  (bytes, chance) => splice(bytes, chance.below(bytes.length), 1 + chance.below(600), Buffer.alloc(0)),
  (bytes, chance) => bytes.subarray(0, chance.below(bytes.length)),
  (bytes, chance) => Buffer.concat([bytes, chance.bytes(chance.below(2000))]),
  // whole tar blocks: twice, away, moved, or with a field changed and the checksum made right again
  (bytes, chance) => splice(bytes, block(bytes, chance), 0, bytes.subarray(0, 512)),
  (bytes, chance) => splice(bytes, block(bytes, chance), 512, Buffer.alloc(0)),
  (bytes, chance) => splice(bytes, block(bytes, chance), 0, Buffer.alloc(512)),
  (bytes, chance) => changeField(bytes, block(bytes, chance), chance),
  (bytes, chance) => changeField(bytes, 0, chance),
]

function splice(bytes: Buffer, start: number, removed: number, added: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, start), added, bytes.subarray(start + removed)])
}

function block(bytes: Buffer, chance: Chance): number {
  return 512 * chance.below(Math.max(1, Math.floor(bytes.length / 512)))
}

function changeField(bytes: Buffer, start: number, chance: Chance): Buffer {
  const changed = Buffer.from(bytes)
  if (changed.length < start + 512) return changed
  const words = [
    '',
    '../',
    '/',
    '\0',
    '7',
    '0000644 ',
    'x',
    'g',
    'L',
    '1',
    '2',
    '5',
    '77777777777 ',
    'wpk.yaml',
    'ustar  \0',
  ]
  changed.write(chance.pick(words), start + chance.pick(HEADER_FIELDS), 'latin1')
  changed.write('        ', start + 148, 'latin1')
  const sum = changed.subarray(start, start + 512).reduce((total, byte) => total + byte, 0)
  changed.write(`${sum.toString(8).padStart(6, '0')} \0`, start + 148, 'latin1')
  return changed
}

/** One damaged archive: the tar inside, or the gzip around it. */
function damage({gz, tar, hostile}: Original, chance: Chance): Buffer {
  const inside = chance.below(3) > 0
  let bytes = inside ? tar : chance.below(2) > 0 ? gz : chance.pick(hostile)
  for (let left = 1 + chance.below(3); left > 0; left--)
    if (bytes.length > 0) bytes = chance.pick(MUTATIONS)(bytes, chance)
  return inside ? gzip(bytes) : bytes
}

async function judge(bytes: Buffer, work: () => Promise<string>, {meaning}: Original): Promise<'accepted' | 'refused'> {
  let timer: NodeJS.Timeout | undefined
  const hang = new Promise<'hang'>((resolve) => {
    timer = setTimeout(() => resolve('hang'), HANG_MS)
  })
  const outcome = await Promise.race([work().catch((error: unknown) => error), hang])
  clearTimeout(timer)
  if (outcome === 'hang') return report('fuzz-archive', bytes, 'reading hangs')
  if (outcome === meaning) return 'accepted'
  if (typeof outcome === 'string') return report('fuzz-archive', bytes, `accepted what was not signed: ${outcome}`)
  if (isAtomError(outcome) && REFUSALS.has(outcome.code)) return 'refused'
  return report('fuzz-archive', bytes, `an error that is no refusal: ${String(outcome)}`, outcome)
}

async function extractInto(parent: string, bytes: Buffer): Promise<ArchiveContents> {
  const before = readdirSync(parent)
  const target = join(parent, 'in', 'package')
  mkdirSync(join(parent, 'in'), {recursive: true})
  try {
    return await extractArchive(streamOf(bytes), target, LIMITS)
  } catch (error) {
    if (readdirSync(join(parent, 'in')).length > 0) report('fuzz-archive', bytes, 'a refused archive left files')
    throw error
  } finally {
    rmSync(join(parent, 'in'), {recursive: true, force: true})
    if (readdirSync(parent).length !== before.length) report('fuzz-archive', bytes, 'files outside the target')
  }
}

const campaign = readCampaign(process.argv.slice(2))
const original = await createOriginal()
const parent = mkdtempSync(join(tmpdir(), 'fuzz-archive-'))
const counts = {accepted: 0, refused: 0}
try {
  const total = await repeat(campaign, async (chance) => {
    const bytes = damage(original, chance)
    const read = chance.below(8) === 0 ? () => extractInto(parent, bytes) : () => readArchive(streamOf(bytes), LIMITS)
    counts[await judge(bytes, async () => meaningOf(await read(), original.policy), original)] += 1
  })
  console.log(
    `fuzz-archive: seed ${campaign.seed}, ${total} archives, ${counts.refused} refused, ${counts.accepted} unharmed`,
  )
} finally {
  rmSync(parent, {recursive: true, force: true})
}
