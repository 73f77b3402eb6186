import {mkdtempSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {type ExecutionOutcome, type Planned, requirePlanned, savePlan} from '../../src/execution/index.ts'

const PLANNED: Planned = {
  workflow_id: 'careful-1.0.0',
  document_digest: `sha256:${'a'.repeat(64)}`,
  parameters_digest: `sha256:${'b'.repeat(64)}`,
  target: 'http://localhost:4000/',
}
const OUTCOME = {
  execution_id: 'e-1',
  workflow_id: 'careful-1.0.0',
  status: 'completed',
  logs: ['Handler a: success'],
} as ExecutionOutcome
const MADE = new Date('2026-01-01T12:00:00Z')
const LATER = new Date('2026-01-01T13:00:00Z')

describe('plans', () => {
  let directory: string
  let file: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'plan-'))
    file = join(directory, 'plan.json')
  })
  afterEach(() => rmSync(directory, {recursive: true, force: true}))

  const refusal = (planned: Planned, now = LATER, maxAge?: number): Promise<unknown> =>
    requirePlanned(file, planned, {now, maxAge}).then(
      () => undefined,
      (error: unknown) => error,
    )

  it('let exactly what they were made for run, and are for their owner only', async () => {
    await savePlan(file, PLANNED, OUTCOME, MADE)
    expect(await refusal(PLANNED)).to.equal(undefined)
    expect(statSync(file).mode & 0o777).to.equal(0o600)
    expect(JSON.parse(readFileSync(file, 'utf8'))).to.deep.include({...PLANNED, created: MADE.toISOString()})
  })

  for (const [key, value] of [
    ['workflow_id', 'careful-1.0.1'],
    ['document_digest', `sha256:${'c'.repeat(64)}`],
    ['parameters_digest', `sha256:${'d'.repeat(64)}`],
    ['target', 'https://prod.example.com/'],
  ] as const)
    it(`refuse another ${key}, naming both`, async () => {
      await savePlan(file, PLANNED, OUTCOME, MADE)
      const error = await refusal({...PLANNED, [key]: value})
      expect(error).to.include({code: 'CONFLICT'})
      expect(String(error)).to.contain(value).and.to.contain(PLANNED[key])
    })

  it('refuse to run when they are too old, or from a time to come', async () => {
    await savePlan(file, PLANNED, OUTCOME, MADE)
    expect(await refusal(PLANNED, new Date('2026-01-02T12:00:01Z'))).to.include({code: 'CONFLICT'})
    expect(await refusal(PLANNED, new Date('2026-01-02T11:59:59Z'))).to.equal(undefined)
    expect(await refusal(PLANNED, LATER, 60_000)).to.include({code: 'CONFLICT'})
    expect(await refusal(PLANNED, new Date('2026-01-01T11:50:00Z'))).to.include({code: 'CONFLICT'})
  })

  for (const [what, change] of [
    ['is no JSON', () => '{'],
    ['is something else', () => '{"kind":"Execution"}'],
    ['lacks a digest', (text: string) => text.replace('document_digest', 'digest')],
    ['has a digest of another kind', (text: string) => text.replace('sha256:aaaa', 'md5:aaaa')],
    ['has no time', (text: string) => text.replace('2026-01-01T12:00:00.000Z', 'yesterday')],
    ['is binary', () => '\0\u{1}\u{2}'],
  ] as const)
    it(`are no plans when the file ${what}`, async () => {
      await savePlan(file, PLANNED, OUTCOME, MADE)
      writeFileSync(file, change(readFileSync(file, 'utf8')))
      expect(await refusal(PLANNED)).to.include({code: 'INPUT_UNREADABLE'})
    })

  it('are missed when they are not there', async () => {
    expect(await refusal(PLANNED)).to.include({code: 'INPUT_MISSING'})
  })
})
