// Whatever verify accepts of a bundle that was changed in one to three places, cosign accepts.
// usage: node scripts/fuzz-bundle.ts [--seconds N] [--seed S]      (needs a build, and scripts/install-peers.sh)
import type {JsonObject} from '@atomctl/wpk/canonical'
import {findCosign} from '../test/interop/cosign.ts'
import {changesOf} from '../test/interop/mutants/changes.ts'
import type {Mutant} from '../test/interop/mutants/index.ts'
import {caseOf, judge, judgeWithCosign} from '../test/interop/mutants/judges.ts'
import {placesOf, textOfPath, textWith, valueAt} from '../test/interop/mutants/json.ts'
import {makeOriginals, type Original, vectorOriginals} from '../test/interop/mutants/originals.ts'
import {startSigstore} from '../test/interop/sigstore/index.ts'
import {findVectors} from '../test/interop/vectors.ts'
import {createSandbox} from '../test/support/atomctl.ts'
import {type Chance, readCampaign, repeat, report} from './fuzzing.ts'

const REFUSALS: ReadonlySet<string> = new Set(['SIGNATURE_MALFORMED', 'WPK_TAMPERED', 'SIGNER_UNTRUSTED'])
/** Of so many that are accepted one is given to cosign: starting it takes longer than judging hundreds. */
const ONE_OF = 4

/** Changes a bundle, and what came of it again while that is still JSON. */
function mutate(original: Original, others: readonly JsonObject[], chance: Chance): Mutant {
  let bundle = original.bundle
  const told: string[] = []
  for (let left = 1 + chance.below(3); ; left--) {
    const {what, bytes} = mutateOnce(bundle, chance.pick(others), chance)
    told.push(what)
    const changed = parse(bytes)
    if (!changed || left === 1) return {what: told.join('; '), bytes}
    bundle = changed
  }
}

function mutateOnce(bundle: JsonObject, other: JsonObject, chance: Chance): Mutant {
  const {path, value} = chance.pick([...placesOf(bundle)])
  const foreign = valueAt(other, path)
  if (foreign !== undefined && path.length > 0 && chance.below(5) === 0)
    return {what: `${textOfPath(path)}: another's`, bytes: Buffer.from(textWith(bundle, path, foreign))}
  const [what, replacement] = chance.pick(changesOf(value))
  return {what: `${textOfPath(path)}: ${what}`, bytes: Buffer.from(textWith(bundle, path, replacement))}
}

function parse(bytes: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}

const campaign = readCampaign(process.argv.slice(2))
const cosign = findCosign()
const counts = {accepted: 0, refused: 0, asked: 0}
await using sigstore = await startSigstore()
await using sandbox = await createSandbox()
const vectors = findVectors()
const originals = [
  ...(await makeOriginals(sandbox, sigstore, cosign)),
  ...(vectors === undefined ? [] : vectorOriginals(vectors)),
]

async function attempt(chance: Chance): Promise<void> {
  const original = chance.pick(originals)
  const others = originals.filter((other) => other !== original).map(({bundle}) => bundle)
  const {what, bytes} = mutate(original, others, chance)
  const files = {...caseOf(original), bundle: bytes}
  const verdict = await judge(original, files)
  if (REFUSALS.has(verdict)) return void (counts.refused += 1)
  if (verdict !== 'accepted') report('fuzz-bundle', bytes, `${original.name}, ${what}: ${verdict}`)
  counts.accepted += 1
  if (cosign === undefined || chance.below(ONE_OF) > 0) return
  counts.asked += 1
  const {code, output} = await judgeWithCosign(cosign, sandbox.home, 'fuzz-', original, files)
  if (code !== 0) report('fuzz-bundle', bytes, `${original.name}, ${what}: accepted, but cosign: ${output}`)
}

const total = await repeat(campaign, attempt)
const {accepted, refused, asked} = counts
console.log(
  `fuzz-bundle: seed ${campaign.seed}, ${total} bundles of ${originals.length} originals, ${refused} refused, ` +
    `${accepted} accepted, ${asked} of them by cosign as well`,
)
if (cosign === undefined) console.log('fuzz-bundle: cosign is not installed, so that it was not asked')
