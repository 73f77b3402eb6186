import {readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {runAll} from './pool.ts'
import {type BundleVector, findVectors, type KeyVector, readIndex, verifyArguments} from './vectors.ts'

const vectors = findVectors()
const REFUSALS = [2, 11, 12]

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

/** What the index expects of a key. The remaining entries say in words why nothing can be done with them. */
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
])

async function body(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim()
}

function describeKeys(folder: string, keys: readonly KeyVector[]): void {
  for (const vector of keys) {
    const check = KEY_CHECKS.get(vector.expect)
    if (!check) continue
    it(`key ${vector.file}: ${vector.expect}`, async () => {
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
  describeBundles(folder, readIndex(folder).vectors)
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
  describeBundles(folder, [...index.bundles, ...index.attestations])
  describeKeys(folder, index.keys)
})
