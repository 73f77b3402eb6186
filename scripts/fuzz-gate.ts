// Whatever the gate accepts, every reader in the field reads alike; whatever we write, it accepts and they read back.
// usage: node scripts/fuzz-gate.ts [--seconds N] [--seed S]      (needs a build; PyYAML is compared where it is installed)
import fc from 'fast-check'
import {type Json, canonicalJson} from '@atomctl/wpk/canonical'
import {fixDocument, parseYaml, stringifyYaml} from '@atomctl/wpk/document'
import {nastyDocument} from '../packages/wpk/test/document/nasty.ts'
import {READERS, reading, readWithPython} from '../packages/wpk/test/document/readers.ts'
import {type Chance, readCampaign, repeat, report} from './fuzzing.ts'

const BATCH = 1000

interface Tried {
  readonly text: string
  /** Canonical JSON of what the gate made of it. */
  readonly meaning: string
}

function accept(text: string): Tried | undefined {
  const {value} = parseYaml(Buffer.from(text), 'fuzz')
  return value === undefined ? undefined : {text, meaning: reading(() => value)}
}

/** Values with the texts that readers quarrel about, as keys and as values. */
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    {depthSize: 'small', withCrossShrink: true},
    fc.oneof(
      fc.string(),
      fc.string({unit: 'binary'}),
      fc.double({noNaN: true, noDefaultInfinity: true}),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie('value'), {maxLength: 4}),
    fc.dictionary(fc.string({maxLength: 12}), tie('value'), {maxKeys: 4, noNullPrototype: true}),
  ),
})).value as fc.Arbitrary<Json>

/** What we write of a value; undefined for one that no document may hold (half surrogates, `__proto__`, …). */
function write(value: Json): Tried | undefined {
  const text = stringifyYaml({value})
  const found = accept(text)
  const meaning = reading(() => ({value}))
  if (found && found.meaning !== meaning)
    report('fuzz-gate', Buffer.from(text), `written, it reads as ${found.meaning}`)
  if (!found && isHarmless(value)) report('fuzz-gate', Buffer.from(text), 'the gate refuses what we wrote')
  return found
}

/** Whether a value has only what documents may hold, so that refusing it would be an error of ours. */
function isHarmless(value: Json): boolean {
  return (
    /^[\x20-\x7e]*$/.test(new TextDecoder().decode(canonicalJson(value))) &&
    !JSON.stringify(value).includes('__proto__') &&
    !/"(constructor|prototype)"/.test(JSON.stringify(value))
  )
}

/** A document that was mended says so once and for all. */
function mend(text: string): void {
  const {text: fixed} = fixDocument(Buffer.from(text), 'fuzz')
  if (parseYaml(Buffer.from(fixed), 'fuzz').findings.some(({fix}) => fix))
    report('fuzz-gate', Buffer.from(text), 'mending left something to mend')
  if (fixDocument(Buffer.from(fixed), 'fuzz').text !== fixed)
    report('fuzz-gate', Buffer.from(text), 'mending twice is not mending once')
}

function compare(tried: readonly Tried[]): void {
  for (const [name, read] of Object.entries(READERS))
    check(
      name,
      tried,
      tried.map(({text}) => reading(() => read(text))),
    )
  const readings = readWithPython(tried.map(({text}) => text))
  python = readings !== undefined
  if (readings) check('PyYAML', tried, readings)
}

function check(reader: string, tried: readonly Tried[], readings: readonly string[]): void {
  for (const [index, {text, meaning}] of tried.entries()) {
    if (readings[index] !== meaning)
      report('fuzz-gate', Buffer.from(text), `${reader} reads ${readings[index]}, the gate ${meaning}`)
  }
}

let python = false
const counts = {documents: 0, accepted: 0}

async function attempt(chance: Chance): Promise<void> {
  const seed = chance.below(2 ** 31)
  const texts = fc.sample(nastyDocument, {seed, numRuns: BATCH})
  for (const text of texts.slice(0, 100)) mend(text)
  const found = [...texts.map(accept), ...fc.sample(values, {seed, numRuns: BATCH / 2}).map(write)]
  const tried = found.filter((one) => one !== undefined)
  compare(tried)
  counts.documents += found.length
  counts.accepted += tried.length
}

const campaign = readCampaign(process.argv.slice(2))
await repeat(campaign, attempt)
const readers = [...Object.keys(READERS), ...(python ? ['PyYAML'] : [])].join(', ')
console.log(
  `fuzz-gate: seed ${campaign.seed}, ${counts.documents} documents, ${counts.accepted} accepted; all alike in ${readers}`,
)
if (!python) console.log('fuzz-gate: python3 with PyYAML is not installed, so that it was not compared')
