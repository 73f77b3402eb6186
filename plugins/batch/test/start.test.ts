import type {VerifiedPackage} from '@atomctl/sdk/enforcement'
import {AtomError} from '@atomctl/sdk/errors'
import type {ExecuteRequest, RuntimeClient} from '@atomctl/sdk/runtime'
import type {JsonObject} from '@atomctl/wpk/canonical'
import {expect} from 'chai'
import {startOnce} from '../src/start.ts'

const subject = {
  origin: 'file',
  verified: {document: {id: 'hello-1.0.0'}, verification: {files: []}},
} as unknown as VerifiedPackage

interface Told {
  readonly notes: string[]
  readonly keys: (string | undefined)[]
}

/** Starts once with a runtime that answers like this, and tells what was noted and sent, in order. */
async function start(
  answer: () => Promise<{executionId: string}>,
  {attempt, parameters = {}}: {attempt?: string; parameters?: JsonObject} = {},
): Promise<Told> {
  const told: Told = {notes: [], keys: []}
  const execute = async (_: unknown, {idempotencyKey}: ExecuteRequest): Promise<{executionId: string}> => {
    told.notes.push('sent')
    told.keys.push(idempotencyKey)
    return answer()
  }
  const runtime = {supports: async () => true, execute} as unknown as RuntimeClient
  const memory = {
    attempt,
    begin: (key: string) => void told.notes.push(`begin ${key === attempt ? 'again' : 'new'}`),
    remember: (pending: string) => void told.notes.push(`remember ${JSON.stringify(pending)}`),
  }
  await startOnce(runtime, subject, {parameters, dryRun: false}, memory).catch(() => undefined)
  return told
}

const started = async () => ({executionId: 'exec-1'})
const failing =
  (code: 'TIMEOUT' | 'UNAVAILABLE' | 'DENIED' | 'PROTOCOL', details = {}) =>
  async () => {
    throw new AtomError(code, 'no', {details})
  }

describe('the start of an execution in a batch', () => {
  it('notes its key before it sends anything', async () => {
    expect((await start(started)).notes).to.deep.equal(['begin new', 'sent'])
    expect((await start(started, {attempt: 'k'})).notes).to.deep.equal(['begin again', 'sent'])
  })

  it('is the same request for the same attempt and parameters, in any order, and another for others', async () => {
    const keyOf = async (attempt: string, parameters: JsonObject): Promise<string | undefined> =>
      (await start(started, {attempt, parameters})).keys[0]
    const key = await keyOf('k', {a: 1, b: 2})
    expect(key).to.match(/^k-[0-9a-f]{16}$/)
    expect(await keyOf('k', {b: 2, a: 1})).to.equal(key)
    expect(await keyOf('k', {a: 1, b: 3})).not.to.equal(key)
    expect(await keyOf('l', {a: 1, b: 2})).not.to.equal(key)
  })

  it('forgets the key only where nothing was started for certain', async () => {
    const forgotten = ['begin new', 'sent', 'remember ""']
    expect((await start(failing('DENIED'))).notes).to.deep.equal(forgotten)
    expect((await start(failing('UNAVAILABLE', {reason: 'ECONNREFUSED'}))).notes).to.deep.equal(forgotten)
    for (const code of ['TIMEOUT', 'UNAVAILABLE', 'PROTOCOL'] as const)
      expect((await start(failing(code))).notes, code).to.deep.equal(['begin new', 'sent'])
    const bug = async () => {
      throw new TypeError('a bug')
    }
    expect((await start(bug)).notes).to.deep.equal(['begin new', 'sent'])
  })
})
