import {mkdtempSync, readdirSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {documentFromJson, loadDocument} from '@atomctl/wpk/document'
import {generateKeyPair, loadSigner, signDocument} from '@atomctl/wpk/signing'
import {addTrustedKey, defaultTrustPolicy, loadTrustPolicy, type TrustPolicy} from '@atomctl/wpk/trust'
import {expect} from 'chai'
import startRuntime from '../src/hooks/local_runtime.ts'
import type {LocalRuntime} from '../src/local.ts'

const PACKAGE = `apiVersion: v1
kind: WorkflowPackage
metadata: {name: local, version: "1.0.0", description: A test, author: tests, signature: ""}
spec:
  runtime: {type: shell}
  safety: {mode: manual}
  handlers:
    - {name: greet, type: shell, config: {command: echo local}}
`

const leftovers = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('atomctl-local-'))

describe('the local_runtime hook', () => {
  let runtime: LocalRuntime | undefined
  const {TMPDIR: shared} = process.env
  // others on this machine may be running something locally too
  before(() => {
    process.env['TMPDIR'] = mkdtempSync(join(tmpdir(), 'atomctl-local-test-'))
  })
  after(() => {
    rmSync(tmpdir(), {recursive: true, force: true})
    if (shared === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = shared
  })
  afterEach(async () => {
    await runtime?.close()
    runtime = undefined
  })

  const start = async (trustPolicy: TrustPolicy): Promise<LocalRuntime> =>
    (runtime = await startRuntime({trustPolicy, version: '1.0.0', environment: {PATH: process.env['PATH']}}))

  const call = (path: string, token: string, body?: object): Promise<Response> =>
    fetch(`${runtime?.url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {authorization: `Bearer ${token}`, 'content-type': 'application/json'},
      ...(body ? {body: JSON.stringify(body)} : {}),
    })

  it('starts a runtime that executes what the given policy trusts, and leaves nothing behind', async () => {
    const before = leftovers()
    const {policy, content} = await signPackage()
    const {token, url} = await start(policy)
    expect(new URL(url).hostname).to.equal('127.0.0.1')
    const reply = await call('/execute', token, {workflow_id: 'local-1.0.0', wpk_content: content})
    const {execution_id: id} = (await reply.json()) as {execution_id: string}
    expect(await finalStatus(id, token)).to.equal('completed')
    expect(leftovers()).to.have.length(before.length + 1)
    await runtime?.close()
    expect(leftovers()).to.deep.equal(before)
  })

  it('refuses a package that the policy does not trust', async () => {
    const {content} = await signPackage()
    const {token} = await start(defaultTrustPolicy())
    const reply = await call('/execute', token, {workflow_id: 'local-1.0.0', wpk_content: content})
    expect(reply.status).to.be.within(400, 403)
    expect(await reply.json()).to.include({code: 'SIGNER_UNTRUSTED'})
  })

  it('serves nobody but the holder of its token', async () => {
    await start(defaultTrustPolicy())
    expect((await call('/executions', 'a-token-nobody-knows')).status).to.equal(401)
  })

  it('can be closed twice', async () => {
    await start(defaultTrustPolicy())
    await runtime?.close()
    await runtime?.close()
  })

  async function finalStatus(id: string, token: string): Promise<string> {
    for (;;) {
      const {status} = (await (await call(`/execute/${id}`, token)).json()) as {status: string}
      if (status !== 'pending' && status !== 'running') return status
    }
  }
})

async function signPackage(): Promise<{policy: TrustPolicy; content: object}> {
  const directory = mkdtempSync(join(tmpdir(), 'atomctl-hook-test-'))
  try {
    const keys = await generateKeyPair('')
    writeFileSync(join(directory, 'test.pub'), keys.publicKeyPem)
    const file = join(directory, 'trust-policy.yaml')
    writeFileSync(file, addTrustedKey(undefined, {name: 'test', publicKeyFile: 'test.pub'}))
    const document = loadDocument(Buffer.from(PACKAGE), 'local.wpk.yaml')
    const signed = await signDocument(document, await loadSigner(keys.privateKeyPem, ''))
    expect(documentFromJson(signed.document.value, 'local').document).not.to.equal(undefined)
    return {policy: await loadTrustPolicy(file), content: signed.document.value}
  } finally {
    rmSync(directory, {recursive: true, force: true})
  }
}
