import {createHash} from 'node:crypto'
import {existsSync, readFileSync} from 'node:fs'
import {writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {stringifyYaml} from '@atomctl/wpk/document'
import type {Json, JsonObject} from '@atomctl/wpk/canonical'
import {expect} from 'chai'
import fc from 'fast-check'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'
import {packageText, trustOwnKey} from '../support/packages.ts'
import {findVectors} from './vectors.ts'

interface JcsIndex {
  readonly vectors: readonly {readonly name: string; readonly input: string; readonly outhex: string}[]
  readonly rfc8785AppendixB: readonly {readonly ieee754: string; readonly json: string | null}[]
}

/** What the gate says of a vector's own JSON text, put into a document as it is: every finding's rule and source. */
const REFUSALS: ReadonlyMap<string, readonly RegExp[]> = new Map([
  [
    'values',
    ['333333333.33333329', '1E30', '2e-3'].map((number) => new RegExp(`disagree on ${number}.*yaml_ambiguous`)),
  ],
  ['weird', [/escaped surrogate pair.*yaml_character/, /key "\uFB33" is not in Unicode NFC.*yaml_unicode_key/]],
])

/** A handler's outputs may hold any value; `yaml` follows the key, further lines indented by eight or more. */
function documentWith(yaml: string): string {
  return packageText({
    handlers: `    - name: greet\n      type: shell\n      config: {command: echo hello}\n      timeout: "30s"\n      outputs:\n        vector:${yaml}`,
  })
}

/** A value in the block style that the gate asks for. */
function written(value: Json): string {
  const [first = '', ...lines] = stringifyYaml({vector: value}).trimEnd().split('\n')
  return [first.slice('vector:'.length), ...lines.map((line) => `        ${line}`)].join('\n')
}

/** RFC 8785 in a few lines, to compare with: what ECMAScript writes, keys in the order of their UTF-16 code units. */
function reference(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(reference).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const keys = Object.keys(value).toSorted((one, other) => (one < other ? -1 : 1))
  return `{${keys.map((key) => `${JSON.stringify(key)}:${reference(value[key] ?? null)}`).join()}}`
}

/** Values that a document may hold: no key that reaches into prototypes, none that is not in Unicode NFC. */
const values = fc.letrec<{value: Json}>((tie) => ({
  value: fc.oneof(
    {depthSize: 'medium'},
    fc.oneof(fc.string({unit: 'grapheme'}), fc.double({noNaN: true, noDefaultInfinity: true}), fc.maxSafeInteger()),
    fc.constantFrom<Json>(null, true, false),
    fc.array(tie('value'), {maxLength: 5}),
    fc.dictionary(keys(), tie('value'), {maxKeys: 6, noNullPrototype: true}),
  ),
})).value

function keys(): fc.Arbitrary<string> {
  const reserved = ['__proto__', 'constructor', 'prototype']
  return fc.string({unit: 'grapheme', maxLength: 8}).filter((key) => key.normalize() === key && !reserved.includes(key))
}

describe('the payload that is printed, and signed, is RFC 8785 to the byte:', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const print = async (text: string): Promise<RunResult> => {
    await writeFile(sandbox.path('vector.wpk.yaml'), text)
    return sandbox.atomctl(['verify', 'vector.wpk.yaml', '--print-payload'])
  }

  /** The canonical form of the value put into the document. */
  const payloadOf = async (yaml: string): Promise<string> => {
    const {code, stdout, stderr} = await print(documentWith(yaml))
    expect(code, stderr).to.equal(0)
    const [, canonical] = /"outputs":\{"vector":([\s\S]*)\},"timeout":"30s","type":"shell"\}\]/.exec(stdout) ?? []
    expect(canonical, stdout).to.be.a('string')
    return canonical ?? ''
  }

  const vectors = findVectors()
  const folder = join(vectors ?? '', 'jcs')
  if (vectors === undefined || !existsSync(join(folder, 'index.json'))) {
    it('the vectors are not on this machine (ATOMCTL_VECTORS names their folder)', function () {
      this.skip()
    })
  } else {
    const {vectors: cases, rfc8785AppendixB: numbers} = JSON.parse(
      readFileSync(join(folder, 'index.json'), 'utf8'),
    ) as JcsIndex
    for (const {name, input, outhex} of cases) {
      const text = readFileSync(join(folder, input), 'utf8')
      const hex = readFileSync(join(folder, outhex), 'utf8').replaceAll(/\s/g, '')
      const canonical = Buffer.from(hex, 'hex').toString()

      const refusals = REFUSALS.get(name)
      it(`the vector ${name} as it is: ${refusals ? 'refused by name' : 'its bytes'}`, async () => {
        const yaml = ` ${text.trim().replaceAll('\n', '\n          ')}`
        if (!refusals) {
          expect(Buffer.from(await payloadOf(yaml)).toString('hex')).to.equal(hex)
          return
        }
        const {code, stdout, stderr} = await print(documentWith(yaml))
        expect([code, stdout], stderr).to.deep.equal([3, ''])
        const findings = stderr.split('\n').filter((line) => line.startsWith('  - '))
        expect(findings, stderr).to.have.lengthOf(refusals.length)
        for (const [index, refusal] of refusals.entries()) expect(findings[index]).to.match(refusal)
      })

      it(`the vector ${name} as the gate wants it written: its bytes`, async () => {
        const [kept, expected] = withoutForeignKeys(JSON.parse(text) as Json, canonical)
        expect(await payloadOf(written(kept))).to.equal(expected)
      })
    }

    it('every number of appendix B, and none that JSON cannot hold', async () => {
      const finite = numbers.filter(({json}) => json !== null)
      const doubles = finite.map(({ieee754}) => Buffer.from(ieee754, 'hex').readDoubleBE())
      expect(await payloadOf(written(doubles))).to.equal(`[${finite.map(({json}) => json).join()}]`)
      for (const nothing of ['.nan', '.inf', '-.Inf', 'NaN', 'Infinity', '1e400', `1${'0'.repeat(309)}.0`]) {
        const {code, stdout} = await print(documentWith(` [${nothing}]`))
        if (code === 0) expect(stdout, nothing).to.contain(`"vector":[${JSON.stringify(nothing)}]`)
        else expect([code, stdout], nothing).to.deep.equal([3, ''])
      }
    })
  }

  it('two hundred values of all kinds', async () => {
    const seed = Date.now() % 2 ** 31
    const sample = fc.sample(values, {seed, numRuns: 200})
    expect(await payloadOf(written(sample)), `seed ${seed}`).to.equal(reference(sample))
  })

  it('and the signature is over these bytes', async () => {
    await trustOwnKey(sandbox)
    const {stdout: payload} = await print(documentWith(written({'\u20AC': 1e30, '\r': [56, -0.5], '': {}})))
    expect((await sandbox.atomctl(['sign', 'vector.wpk.yaml'])).code).to.equal(0)
    const {stdout} = await sandbox.atomctl(['verify', 'vector.wpk.yaml', '--print-bundle'])
    const {dsseEnvelope} = JSON.parse(stdout) as {dsseEnvelope: {payload: string}}
    const {subject} = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString()) as {subject: JsonObject[]}
    const sha256 = createHash('sha256').update(payload).digest('hex')
    expect(subject[0]).to.deep.equal({name: 'wpk.jcs.json', digest: {sha256}})
    expect((await sandbox.atomctl(['verify', 'vector.wpk.yaml', '--print-payload'])).stdout).to.equal(payload)
  })
})

/** A vector without its keys that are not in Unicode NFC, which no document may hold; and so its canonical form. */
function withoutForeignKeys(value: Json, canonical: string): [Json, string] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [value, canonical]
  const entries = Object.entries(value)
  const foreign = entries.filter(([key]) => key.normalize() !== key)
  const members = foreign.map(([key, member]) => `${JSON.stringify(key)}:${JSON.stringify(member)}`)
  const left = members.reduce((text, member) => text.replace(`,${member}`, ''), canonical)
  return [Object.fromEntries(entries.filter(([key]) => key.normalize() === key)), left]
}
