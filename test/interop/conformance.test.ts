import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {runAll} from './pool.ts'
import {type BundleVector, findVectors, type KeyVector, readIndex, verifyArguments} from './vectors.ts'

const vectors = findVectors()
const REFUSALS = [2, 11, 12]

/** Every bundle of the folder has its case: one that is in no index would be tried by nobody. */
function describeIndex(folder: string, cases: readonly BundleVector[]): void {
  it('are all of the bundles in the folder, each with an outcome', async () => {
    const files = await readdir(folder, {recursive: true})
    const bundles = files.filter((file) => file.endsWith('sigstore.json')).toSorted()
    const named = new Set(cases.map(({bundle}) => bundle))
    expect(bundles.filter((file) => !named.has(file))).to.deep.equal([])
    for (const {name, bundle, expect: outcome} of cases) expect(outcome, name ?? bundle).to.match(/\b(pass|fail)\b/)
  })
}

function describeBundles(folder: string, cases: readonly BundleVector[]): void {
  let results: ReadonlyMap<BundleVector, RunResult>
  before(async function () {
    this.timeout(180_000)
    await using sandbox = await createSandbox()
    results = await runAll(cases, (vector) => sandbox.atomctl(verifyArguments(folder, vector)))
  })

  for (const vector of cases) {
    const {name, bundle, legacySignature, artifact} = vector
    // some vectors say it twice: what cosign does with them, and what is expected of atomctl
    const expected = /atomctl: (pass|fail)/.exec(vector.expect)?.[1] ?? vector.expect
    it(`${name ?? `${bundle ?? legacySignature} over ${artifact}`}: ${expected}`, () => {
      const {code, stdout, stderr} = results.get(vector) ?? {}
      if (expected === 'pass') {
        expect(code, stderr).to.equal(0)
        expect(stdout).to.match(/\[SUCCESS\] Signature verified/)
      } else {
        expect(code, `${stdout}${stderr}`).to.be.oneOf(REFUSALS)
        expect(stderr).to.match(/^\[ERROR\] /)
        expect(stderr).not.to.match(/\n\s+at /)
      }
    })
  }
}

type KeyCheck = (sandbox: Sandbox, file: string, vector: KeyVector, folder: string) => Promise<void>

/** What the index expects of a key. */
const KEY_CHECKS: ReadonlyMap<string, KeyCheck> = new Map<string, KeyCheck>([
  [
    'load',
    async (sandbox, file, {password = '', publicKey}, folder) => {
      const result = await sandbox.atomctl(['keys', 'public', '--key', file], {env: {COSIGN_PASSWORD: password}})
      expect(result.code, result.stderr).to.equal(0)
      if (publicKey !== undefined) expect(result.stdout).to.contain(await body(join(folder, publicKey)))
    },
  ],
  [
    'reject',
    async (sandbox, file, {password = ''}) => {
      const result = await sandbox.atomctl(['sign', '--key', file, '--detached', file], {
        env: {COSIGN_PASSWORD: password},
      })
      expect(result.code, result.stderr).to.equal(2)
    },
  ],
  [
    'import',
    async (sandbox, file) => {
      const result = await sandbox.atomctl(['keys', 'import', file, '--force'])
      expect(result.code, result.stderr).to.equal(0)
      expect((await sandbox.atomctl(['keys', 'public'])).stdout).to.contain(await body(sandbox.path('cosign.pub')))
    },
  ],
  [
    'import-reject',
    async (sandbox, file) => {
      expect((await sandbox.atomctl(['keys', 'import', file, '--force'])).code).to.equal(2)
    },
  ],
  [
    // nobody knows the password: what can be seen is that the file is understood and that a wrong one does not open it
    'parse-only (password is not public)',
    async (sandbox, file, {publicKey = ''}, folder) => {
      const wrong = await sandbox.atomctl(['keys', 'public', '--key', file], {env: {COSIGN_PASSWORD: 'wrong'}})
      expect(wrong.code, wrong.stderr).to.equal(4)
      const half = await sandbox.atomctl(['keys', 'public', '--key', join(folder, publicKey)])
      expect(half.stdout, half.stderr).to.contain(await body(join(folder, publicKey)))
    },
  ],
  [
    'public key: cosign release key',
    async (sandbox, file) => {
      const result = await sandbox.atomctl(['keys', 'public', '--key', file])
      expect(result.stdout, result.stderr).to.contain(await body(file))
    },
  ],
])

async function body(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim()
}

function describeKeys(folder: string, keys: readonly KeyVector[]): void {
  for (const vector of keys) {
    it(`key ${vector.file}: ${vector.expect}`, async () => {
      const check = KEY_CHECKS.get(vector.expect)
      if (!check) throw new Error('nothing here knows how to try this')
      await using sandbox = await createSandbox()
      await check(sandbox, join(folder, vector.file), vector, folder)
    })
  }
}

describe('the Sigstore conformance cases, through the command line', () => {
  if (vectors === undefined) {
    it('are not on this machine (ATOMCTL_VECTORS names their folder)', function () {
      this.skip()
    })
    return
  }
  const folder = join(vectors, 'conformance')
  const {vectors: cases} = readIndex(folder)
  describeIndex(folder, cases)
  describeBundles(folder, cases)
})

describe('what cosign made, through the command line', () => {
  if (vectors === undefined) {
    it('is not on this machine (ATOMCTL_VECTORS names its folder)', function () {
      this.skip()
    })
    return
  }
  const folder = join(vectors, 'cosign')
  const index = readIndex(folder)
  const cases = [...index.bundles, ...index.attestations]
  describeIndex(folder, cases)
  describeBundles(folder, cases)
  describeKeys(folder, index.keys)
})
