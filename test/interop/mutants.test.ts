import type {JsonObject} from '@atomctl/wpk/canonical'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {findCosign} from './cosign.ts'
import {mutantsOf} from './mutants/index.ts'
import {type Case, caseOf, judge, judgeWithCosign, writeCase} from './mutants/judges.ts'
import {keyMutants} from './mutants/keys.ts'
import {makeOriginals, type Original} from './mutants/originals.ts'
import {runAll} from './pool.ts'
import {type LoopbackSigstore, startSigstore} from './sigstore/index.ts'
import {sampleOf, seedOf} from './mutants/sample.ts'

/** How many cases are given to a process each: starting one takes longer than judging a thousand. */
const FOR_COSIGN = 45
const FOR_BINARY = 16
const EXIT_CODES: ReadonlyMap<string, number> = new Map([
  ['accepted', 0],
  ['SIGNATURE_MALFORMED', 11],
  ['WPK_TAMPERED', 11],
  ['SIGNER_UNTRUSTED', 12],
  ['KEY_INVALID', 2],
  ['TRUST_ROOT_INVALID', 2],
])

/** What we accept and cosign does not, with reason. */
const EXCEPTIONS: ReadonlyMap<string, string> = new Map([
  ['the key with a byte order mark', 'editors on Windows write one; the key is the same'],
  ['mediaType: application/vnd.dev.sigstore.trustedroot.v0.2+json', 'the next version, which newer clients write'],
])

interface Judged {
  readonly what: string
  readonly original: Original
  readonly files: Case
  readonly verdict: string
}

/** scripts/fuzz-bundle.ts does the same for longer, with several changes at once. */
describe('of mutated signatures', function () {
  this.timeout(120_000)
  const cosign = findCosign()
  const seed = seedOf()
  let sigstore: LoopbackSigstore
  let sandbox: Sandbox
  let originals: readonly Original[]
  before(async () => {
    sigstore = await startSigstore()
    sandbox = await createSandbox()
    originals = await makeOriginals(sandbox, sigstore, cosign)
  })
  after(async () => {
    await sandbox[Symbol.asyncDispose]()
    await sigstore[Symbol.asyncDispose]()
  })

  let judgedBundles: Promise<Judged[]> | undefined
  const bundles = (): Promise<Judged[]> => (judgedBundles ??= judgeBundles())
  const judgeBundles = async (): Promise<Judged[]> => {
    const judged: Judged[] = []
    for (const original of originals) {
      const files = caseOf(original)
      const others = sampleOf(
        originals.filter((other) => other !== original),
        2,
        seed,
      )
      const foreign = others.map(({bundle}) => bundle)
      for (const {what, bytes} of mutantsOf(original.bundle, foreign)) {
        const changed = {...files, bundle: bytes}
        judged.push({what, original, files: changed, verdict: await judge(original, changed)})
      }
    }
    return judged
  }

  const keys = async (): Promise<Judged[]> => {
    const [original] = originals as [Original]
    const files = caseOf(original)
    return Promise.all(
      keyMutants(files.key?.toString() ?? '').map(async ({what, bytes}) => {
        const changed = {...files, key: bytes}
        return {what, original, files: changed, verdict: await judge(original, changed)}
      }),
    )
  }

  let judgedRoots: Promise<Judged[]> | undefined
  const roots = (): Promise<Judged[]> => (judgedRoots ??= judgeRoots())
  const judgeRoots = async (): Promise<Judged[]> => {
    const [original] = sampleOf(
      originals.filter(({trust}) => trust.trustedRoot !== undefined),
      1,
      seed,
    ) as [Original]
    const files = caseOf(original)
    const judged: Judged[] = []
    for (const {what, bytes} of mutantsOf(JSON.parse(files.trustedRoot?.toString() ?? '') as JsonObject)) {
      const changed = {...files, trustedRoot: bytes}
      judged.push({what, original, files: changed, verdict: await judge(original, changed)})
    }
    return judged
  }

  const titleOf = ({original, what, verdict}: Judged): string => `${original.name}, ${what}: ${verdict}`

  /** Nothing but refusals in the contract; what is accepted, in a sample if it is a lot, cosign accepts too. */
  const expectSound = async (judged: readonly Judged[]): Promise<void> => {
    expect(judged.filter(({verdict}) => !EXIT_CODES.has(verdict)).map(titleOf)).to.deep.equal([])
    const accepted = judged.filter(({verdict, what}) => verdict === 'accepted' && !EXCEPTIONS.has(what))
    expect(accepted.length).to.be.greaterThan(0).and.lessThan(judged.length)
    if (cosign === undefined) return
    let number = 0
    const asked = await runAll(sampleOf(accepted, FOR_COSIGN, seed), ({original, files}) =>
      judgeWithCosign(cosign, sandbox.home, `mutant-${(number += 1)}-`, original, files),
    )
    const refused = [...asked].filter(([, {code}]) => code !== 0)
    expect(
      refused.map(([one, {output}]) => `${titleOf(one)}, but cosign: ${output}`),
      `seed ${seed}`,
    ).to.deep.equal([])
  }

  it('(the originals are good to both)', async () => {
    for (const original of originals) {
      expect(await judge(original, caseOf(original)), original.name).to.equal('accepted')
      if (cosign === undefined) continue
      const {code, output} = await judgeWithCosign(cosign, sandbox.home, 'original-', original, caseOf(original))
      expect(code, `${original.name}: ${output}`).to.equal(0)
    }
  })

  it('bundles are accepted only where cosign accepts them, and never end in anything but a refusal', async () => {
    await expectSound(await bundles())
  })

  it('keys are accepted only where cosign accepts them, and never end in anything but a refusal', async () => {
    await expectSound(await keys())
  })

  it('trusted roots are accepted only where cosign accepts them, and never end in anything but a refusal', async () => {
    await expectSound(await roots())
  })

  it('some go through the built binary, whose exit code is that of the refusal', async () => {
    const sample = sampleOf([...(await bundles()), ...(await roots()), ...(await keys())], FOR_BINARY, seed)
    let number = 0
    const results = await runAll(sample, async ({original, files}) => {
      const flags = await writeCase(sandbox.home, `binary-${(number += 1)}-`, original, files)
      return sandbox.atomctl(['verify', original.artifact, ...flags])
    })
    for (const [one, {code, signal, stderr}] of results) {
      const told = `seed ${seed}: ${titleOf(one)}: ${stderr}`
      expect([code, signal], told).to.deep.equal([EXIT_CODES.get(one.verdict), null])
      expect(stderr, told).not.to.match(/\n\s+at /)
    }
  })

  if (cosign === undefined) {
    it('cosign is not on this machine to judge them (scripts/install-peers.sh)', function () {
      this.skip()
    })
  }
})
