import {mkdir, readFile, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../support/atomctl.ts'
import {writePackage} from '../support/packages.ts'
import {startServices, stopServices} from '../support/services.ts'

// docs/trust-policy.md, "Changing a key", as it is told there: every step with the real binary and services, whose policy
// is the user's own. The chapters follow each other.
describe('the story of a signing key that is changed', function () {
  this.timeout(120_000)
  let sandbox: Sandbox
  const OLD = 'file: ../old.pub'
  const NEW = 'file: ../new.pub'

  before(async () => {
    sandbox = await createSandbox()
    for (const name of ['old', 'new'])
      await sandbox.atomctl(['keys', 'generate', '--no-trust', '--output-key-prefix', name])
    await mkdir(sandbox.path('.atomctl'))
    await writePolicy({old: OLD})
    await startServices(sandbox)
    await release('first', 'old')
  })
  after(async () => {
    await stopServices(sandbox)
    await sandbox[Symbol.asyncDispose]()
  })

  /** The user's policy: these keys, all of them signers of everything. */
  async function writePolicy(keys: Record<string, string>, level = 'strict'): Promise<void> {
    const lines = Object.entries(keys).map(([name, facts]) => `  ${name}: {${facts}}\n`)
    const rule = `rules: [{name: all, level: ${level}, signers: [{keys: [${Object.keys(keys).join(', ')}]}]}]\n`
    await writeFile(sandbox.path('.atomctl', 'trust-policy.yaml'), `keys:\n${lines.join('')}${rule}`)
  }

  /** Signs and pushes a package. */
  async function release(name: string, key: string, version = '1.0.0'): Promise<void> {
    const file = await writePackage(sandbox, {name, version})
    for (const args of [
      ['sign', file, '--key', `${key}.key`],
      ['push', file],
    ]) {
      const {code, stderr} = await sandbox.atomctl(args)
      expect(code, stderr).to.equal(0)
    }
  }

  /** Exit codes of what can be done with a package: verify and push its file, run and pull it from the registry. */
  async function outcomes(name: string): Promise<number[]> {
    const file = `${name}.wpk.yaml`
    const id = `${name}-1.0.0`
    const commands = [
      ['verify', file],
      ['push', file],
      ['run', file, '--dry-run'],
      ['run', id, '--dry-run'],
      ['pull', id, '--force'],
    ]
    const codes: number[] = []
    for (const args of commands) codes.push((await sandbox.atomctl(args)).code ?? -1)
    return codes
  }

  const all = (code: number): number[] => Array.from({length: 5}, () => code)

  async function reasonOf(name: string): Promise<string> {
    const {stdout} = await sandbox.atomctl(['verify', `${name}.wpk.yaml`, '-o', 'json'])
    return (JSON.parse(stdout) as {error?: {code: string}}).error?.code ?? 'accepted'
  }

  it('1. at first there is one key, and what it signed runs', async () => {
    expect(await outcomes('first')).to.deep.equal(all(0))
  })

  it('2. with the new key beside it, what either signed runs', async () => {
    await writePolicy({old: OLD, new: NEW})
    await release('second', 'new')
    expect(await outcomes('first')).to.deep.equal(all(0))
    expect(await outcomes('second')).to.deep.equal(all(0))
  })

  it('3. the old key gets its last day, and check says so a month ahead', async () => {
    const soon = new Date(Date.now() + 7 * 24 * 3600 * 1000).toISOString()
    await writePolicy({old: `${OLD}, notAfter: "${soon}"`, new: NEW})
    expect(await outcomes('first')).to.deep.equal(all(0))
    const check = await sandbox.atomctl(['trust-policy', 'check'])
    expect(check.code).to.equal(0)
    expect(check.stdout).to.contain('key old expires at')
  })

  it('4. meanwhile what is still needed is released again: a new version, since a version keeps its bytes', async () => {
    const same = await writePackage(sandbox, {name: 'first'})
    await sandbox.atomctl(['sign', same, '--key', 'new.key'])
    expect((await sandbox.atomctl(['push', same])).code).to.equal(7)
    await release('first', 'new', '1.0.1')
    expect((await sandbox.atomctl(['run', 'first-1.0.1', '--dry-run'])).code).to.equal(0)
    await sandbox.atomctl(['pull', 'first-1.0.0', '--output-file', 'first.wpk.yaml', '--force'])
    expect(await reasonOf('first')).to.equal('accepted')
  })

  it('5. after that day what the old key signed is refused everywhere, and the rest runs', async () => {
    await writePolicy({old: `${OLD}, notAfter: "2026-01-01T00:00:00Z"`, new: NEW})
    expect(await reasonOf('first')).to.equal('SIGNER_EXPIRED')
    expect(await outcomes('first')).to.deep.equal(all(12))
    expect(await outcomes('second')).to.deep.equal(all(0))
    expect((await sandbox.atomctl(['run', 'first-1.0.1', '--dry-run'])).code).to.equal(0)
  })

  it('6. a policy that is permissive for a while warns instead', async () => {
    await writePolicy({old: `${OLD}, notAfter: "2026-01-01T00:00:00Z"`, new: NEW}, 'permissive')
    expect(await outcomes('first')).to.deep.equal(all(0))
    const {stderr} = await sandbox.atomctl(['run', 'first-1.0.0', '--dry-run'])
    expect(stderr).to.match(/\[WARNING\] SIGNER_EXPIRED: .*let through: trust level permissive/)
  })

  it('7. the old key leaks and is revoked: at once, at every level that checks', async () => {
    for (const level of ['strict', 'permissive']) {
      await writePolicy({old: `${OLD}, revoked: true`, new: NEW}, level)
      expect(await reasonOf('first'), level).to.equal('SIGNER_REVOKED')
      expect(await outcomes('first'), level).to.deep.equal(all(12))
      expect(await outcomes('second'), level).to.deep.equal(all(0))
    }
  })

  it('8. the services refuse it too, whoever asks them: they read the policy anew each time', async () => {
    await writePolicy({old: `${OLD}, revoked: true`, new: NEW})
    await writeFile(
      sandbox.path('outdated.yaml'),
      `keys: {old: {file: old.pub}}\nrules: [{name: all, signers: [{keys: [old]}]}]\n`,
    )
    const outdated = ['--trust-policy', 'outdated.yaml']
    const run = await sandbox.atomctl(['run', 'first-1.0.0', '--dry-run', ...outdated])
    expect(run.code).to.equal(12)
    expect(run.stderr).to.contain('403')
    const other = await writePackage(sandbox, {name: 'third'})
    await sandbox.atomctl(['sign', other, '--key', 'old.key'])
    const push = await sandbox.atomctl(['push', other, ...outdated])
    expect(push.code, push.stderr).to.equal(12)
  })

  it('9. removing the key instead of revoking it refuses too, but no longer says why', async () => {
    await writePolicy({new: NEW})
    expect(await reasonOf('first')).to.equal('SIGNER_UNTRUSTED')
    const {stderr} = await sandbox.atomctl(['verify', 'first.wpk.yaml'])
    expect(stderr).to.contain('to trust this signer')
    expect(await readFile(sandbox.path('first.wpk.yaml'), 'utf8')).to.contain('1.0.0')
  })
})
