import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {loadSources, resolveConfiguration} from '@atomctl/sdk/config'
import {generateKeyPair} from '@atomctl/wpk/signing'
import {addTrustedKey} from '@atomctl/wpk/trust'
import {expect} from 'chai'
import {createPolicySource, policyFileOf} from '../src/policy.ts'

describe('the trust policy of the services', () => {
  let home: string
  let file: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'atomctl-policy-'))
    file = join(home, 'trust-policy.yaml')
  })
  afterEach(() => rmSync(home, {recursive: true, force: true}))

  async function writePolicy(): Promise<void> {
    writeFileSync(join(home, 'a.pub'), (await generateKeyPair('')).publicKeyPem)
    writeFileSync(file, addTrustedKey(undefined, {name: 'a', publicKeyFile: 'a.pub'}))
  }

  it('trusts nobody while the user has none, and the keys of one that is written later', async () => {
    const source = createPolicySource({file, isNamed: false})
    const empty = await source()
    await writePolicy()
    expect(await source()).not.to.deep.equal(empty)
    rmSync(file)
    expect(await source()).to.deep.equal(empty)
  })

  it('is an error when it was named and is not there', async () => {
    const error = await createPolicySource({file, isNamed: true})().then(undefined, (reason: unknown) => reason)
    expect(error).to.include({code: 'TRUST_POLICY_INVALID'})
  })

  it('is an error while it is broken, never what it was before', async () => {
    await writePolicy()
    const source = createPolicySource({file, isNamed: false})
    await source()
    writeFileSync(file, 'keys: [\n')
    const error = await source().then(undefined, (reason: unknown) => reason)
    expect(error).to.include({code: 'TRUST_POLICY_INVALID'})
  })

  it('is the named one before the user’s own, and never a project’s', async () => {
    const environment = {ATOMCTL_HOME: home}
    writeFileSync(join(home, '.atomctl.yaml'), 'trust_policy: ./project.yaml\n')
    const sources = await loadSources(environment, home)
    const own = policyFileOf(resolveConfiguration(sources), environment)
    const named = policyFileOf(resolveConfiguration(sources, {trust_policy: '/named.yaml'}), environment)
    expect(own).to.deep.equal({file, isNamed: false})
    expect(named).to.deep.equal({file: '/named.yaml', isNamed: true})
  })
})
