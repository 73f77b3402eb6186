import {ERRORS} from '@atomctl/sdk/errors'
import {expect} from 'chai'
import {createSandbox, type RunResult, type Sandbox} from '../support/atomctl.ts'

describe('explain and schema print', function () {
  this.timeout(60_000)
  let sandbox: Sandbox
  before(async () => {
    sandbox = await createSandbox()
  })
  after(() => sandbox[Symbol.asyncDispose]())

  const explain = (...args: string[]): Promise<RunResult> => sandbox.atomctl(['explain', ...args])

  it('explains the format from the top, and each place named', async () => {
    const top = await explain()
    expect(top.code).to.equal(0)
    expect(top.stdout)
      .to.match(/^wpk /)
      .and.to.match(/^ +spec +mapping +yes/m)
    const k8s = await explain('wpk.spec.handlers.k8s')
    expect(k8s.stdout)
      .to.match(/^wpk\.spec\.handlers\.k8s /)
      .and.to.contain('action')
    expect((await explain('spec.safety.mode')).stdout).to.contain('manual')
  })

  it('explains an error code with its exit code, its cause and its cure', async () => {
    const {stdout} = await explain('signer_untrusted')
    const [heading, summary, cause, cure, ...rest] = stdout.split('\n\n')
    expect([heading, summary, rest]).to.deep.equal([
      'SIGNER_UNTRUSTED  exit 12',
      `  ${ERRORS.SIGNER_UNTRUSTED.summary}.`,
      [],
    ])
    expect(cause).to.match(/^ {2}Cause: \S/)
    expect(cure).to.match(/^ {2}Cure: {2}\S/)
    const {data} = JSON.parse((await explain('UNAVAILABLE', '-o', 'json')).stdout) as {data: object}
    expect(data).to.include({kind: 'error', code: 'UNAVAILABLE', exit: 9})
  })

  it('is named by an error under --verbose, and only there', async () => {
    const missing = ['inspect', './missing.wpk.yaml']
    const {stderr} = await sandbox.atomctl([...missing, '--verbose'])
    expect(stderr).to.match(/^code: INPUT_MISSING, exit 2 \(atomctl explain INPUT_MISSING\)$/m)
    expect((await sandbox.atomctl(missing)).stderr).not.to.contain('atomctl explain')
  })

  it('explains a rule of the security policy', async () => {
    expect((await explain('hardcoded_secrets')).stdout)
      .to.contain('CWE-798')
      .and.to.contain('Fix: ')
  })

  const mistakes: [string, string][] = [
    ['wpk.spec.handlrs', 'atomctl explain wpk.spec.handlers'],
    ['signer_untrustd', 'atomctl explain SIGNER_UNTRUSTED'],
    ['WPK_UNSIGND', 'atomctl explain WPK_UNSIGNED'],
    ['hardcoded_secret', 'atomctl explain hardcoded_secrets'],
    ['__proto__', 'atomctl explain wpk'],
    ['wpk.constructor', 'atomctl explain wpk'],
  ]
  for (const [word, suggestion] of mistakes) {
    it(`suggests what ${word} may have meant`, async () => {
      const {code, stderr} = await explain(word)
      expect(code).to.equal(2)
      expect(stderr).to.contain(suggestion)
    })
  }

  it('schema print writes draft-07 JSON Schema, closed, ready for an editor', async () => {
    const {code, stdout} = await sandbox.atomctl(['schema', 'print'])
    expect(code).to.equal(0)
    const schema = JSON.parse(stdout) as Record<string, unknown>
    expect(schema).to.include({$schema: 'http://json-schema.org/draft-07/schema#'})
    const envelope = JSON.parse((await sandbox.atomctl(['schema', 'print', '--json'])).stdout) as {data: unknown}
    expect(envelope.data).to.deep.equal(schema)
  })
})
