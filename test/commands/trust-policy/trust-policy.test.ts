import {mkdir, readFile, symlink, writeFile} from 'node:fs/promises'
import {expect} from 'chai'
import {createSandbox, type Sandbox} from '../../support/atomctl.ts'
import {tamper, trustOwnKey, writePackage, writeSignedPackage} from '../../support/packages.ts'

describe('atomctl trust-policy', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  beforeEach(async () => {
    sandbox = await createSandbox()
  })
  afterEach(() => sandbox[Symbol.asyncDispose]())

  describe('init', () => {
    it('writes a strict policy that trusts nobody, that check approves, and that a key can be added to', async () => {
      expect((await sandbox.atomctl(['trust-policy', 'init'])).code).to.equal(0)
      const text = await readFile(sandbox.path('.atomctl', 'trust-policy.yaml'), 'utf8')
      expect(text).to.contain('level: strict')
      await trustOwnKey(sandbox)
      const check = await sandbox.atomctl(['trust-policy', 'check'])
      expect(check.code, check.stderr).to.equal(0)
      expect(check.stdout).to.contain('is sound: 1 key, 1 rule')
      const file = await writeSignedPackage(sandbox)
      expect((await sandbox.atomctl(['verify', file])).code).to.equal(0)
    })

    it('never overwrites: not a file, not a link, not an empty file', async () => {
      await writeFile(sandbox.path('mine.yaml'), '')
      await symlink(sandbox.path('nowhere.yaml'), sandbox.path('link.yaml'))
      for (const name of ['mine.yaml', 'link.yaml'])
        expect((await sandbox.atomctl(['trust-policy', 'init', name])).code).to.equal(7)
      expect(await readFile(sandbox.path('mine.yaml'), 'utf8')).to.equal('')
      expect(await readFile(sandbox.path('nowhere.yaml')).catch(() => 'nothing')).to.equal('nothing')
    })

    it('says so where it cannot write', async () => {
      await writeFile(sandbox.path('file'), '')
      expect((await sandbox.atomctl(['trust-policy', 'init', 'file/policy.yaml'])).code).to.equal(1)
    })
  })

  describe('check', () => {
    it('names every problem with line and column, and exits with 2', async () => {
      await writeFile(
        sandbox.path('p.yaml'),
        'keys:\n  a: {file: none.pub}\nrules:\n  - {name: r, signers: [{keys: [b]}]}\n',
      )
      const {code, stdout} = await sandbox.atomctl(['trust-policy', 'check', 'p.yaml'])
      expect(code).to.equal(2)
      expect(stdout).to.contain('p.yaml:2:13').and.to.contain('p.yaml:4:25')
      const json = JSON.parse((await sandbox.atomctl(['trust-policy', 'check', 'p.yaml', '-o', 'json'])).stdout)
      expect(json.error.code).to.equal('TRUST_POLICY_INVALID')
      const {findings} = json.data[0] as {findings: {rule: string; path: string; severity: string}[]}
      const missing = findings.find(({rule}) => rule === 'policy_key')
      expect(missing).to.deep.include({severity: 'error', path: 'keys.a.file', position: {line: 2, column: 13}})
    })

    it('finds a tie before a package runs into it', async () => {
      await writeFile(sandbox.path('p.yaml'), 'rules:\n  - name: a\n  - {name: b, scope: {packages: ["*"]}}\n')
      expect((await sandbox.atomctl(['trust-policy', 'check', 'p.yaml'])).code).to.equal(2)
      const file = await writeSignedPackageWithOwnKey(sandbox)
      expect((await sandbox.atomctl(['verify', file, '--trust-policy', 'p.yaml'])).code).to.equal(2)
    })

    it("checks all policies in force without a file: the user's and the project's", async () => {
      await sandbox.atomctl(['trust-policy', 'init'])
      await writeFile(sandbox.path('.atomctl.yaml'), 'trust_policy: project.yaml\n')
      await writeFile(sandbox.path('project.yaml'), 'rulez: []\n')
      const {code, stdout} = await sandbox.atomctl(['trust-policy', 'check'])
      expect(code).to.equal(2)
      expect(stdout)
        .to.match(/trust-policy\.yaml is sound/)
        .and.to.match(/project\.yaml cannot be used/)
    })

    it('says that there is no policy where there is none', async () => {
      const {code, stdout} = await sandbox.atomctl(['trust-policy', 'check'])
      expect(code).to.equal(0)
      expect(stdout).to.contain('There is no trust policy')
    })

    it('exits with 2 for a file that is missing or no file', async () => {
      await mkdir(sandbox.path('folder'))
      for (const name of ['missing.yaml', 'folder'])
        expect((await sandbox.atomctl(['trust-policy', 'check', name])).code).to.equal(2)
    })
  })

  describe('explain', () => {
    it('says which rule decides about an id, and whom it wants, without any network', async () => {
      await trustOwnKey(sandbox)
      const env = {ATOMCTL_REGISTRY_URL: 'http://registry.invalid'}
      const {code, stdout} = await sandbox.atomctl(['trust-policy', 'explain', 'anything-1.0.0'], {env})
      expect(code).to.equal(0)
      expect(stdout)
        .to.contain('anything from http://registry.invalid')
        .and.to.contain('Decided By: rule all-packages (strict)')
        .and.to.match(/- cosign, key SHA256:/)
    })

    it('says of a file what the policy makes of it now, and what would change that', async () => {
      await trustOwnKey(sandbox)
      const unsigned = await writePackage(sandbox, {name: 'unsigned'})
      const before = await sandbox.atomctl(['trust-policy', 'explain', unsigned])
      expect(before.stdout).to.contain('refused').and.to.contain(`atomctl sign ${unsigned}`)
      const signed = await writeSignedPackage(sandbox)
      expect((await sandbox.atomctl(['trust-policy', 'explain', signed])).stdout).to.contain(
        'accepted, signed by cosign',
      )
      await tamper(sandbox, signed)
      const {stdout} = await sandbox.atomctl(['trust-policy', 'explain', signed, '-o', 'json'])
      expect(JSON.parse(stdout).data.policies[0].outcome).to.deep.include({accepted: false, code: 'WPK_TAMPERED'})
    })

    it('prints the lines that would trust an unknown signer, and they do', async () => {
      const file = await writeSignedPackageWithOwnKey(sandbox)
      const {stdout} = await sandbox.atomctl(['trust-policy', 'explain', file])
      expect(stdout).to.contain('none, which trusts nobody').and.to.contain('keys:\n      signer: {file: "signer.pub"}')
    })
  })
})

/** Signed with a key that nobody trusts yet. */
async function writeSignedPackageWithOwnKey(sandbox: Sandbox): Promise<string> {
  await sandbox.atomctl(['keys', 'generate', '--no-trust'])
  return writeSignedPackage(sandbox)
}
