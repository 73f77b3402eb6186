import {expect} from 'chai'
import {parseYaml} from '@atomctl/wpk/document'
import {addTrustedKey, verifyDocument} from '@atomctl/wpk/trust'
import {signDocument} from '@atomctl/wpk/signing'
import {catchError, documentOf, expectError, testKey} from '../signing/fixtures.ts'
import {policyOf} from './fixtures.ts'

const ALICE = {name: 'alice', publicKeyFile: 'alice.pub'}
const BOB = {name: 'bob', publicKeyFile: 'bob.pub'}

describe('adding a trusted key to a policy', () => {
  it('writes a whole policy where there is none, and what the key signed verifies with it', async () => {
    for (const before of [undefined, '', '\n']) {
      const policy = await policyOf(addTrustedKey(before, ALICE))
      const {document} = await signDocument(documentOf(), (await testKey('alice')).signer)
      const {verification} = verifyDocument(document, policy)
      expect(verification).to.deep.include({level: 'strict', rule: 'all-packages', warnings: []})
    }
  })

  it('adds a second key as one line to each list', () => {
    const first = addTrustedKey(undefined, ALICE)
    const second = addTrustedKey(first, BOB)
    expect(difference(first, second)).to.deep.equal(['  bob:', '    file: bob.pub', '          - bob'])
  })

  it('changes nothing when the key is there and trusted already', () => {
    const text = addTrustedKey(undefined, ALICE)
    expect(addTrustedKey(text, ALICE)).to.equal(text)
  })

  const layouts: [string, string][] = [
    [
      'in flow style',
      'keys: {bob: {file: bob.pub}} # k\nrules: # r\n  - {name: all, signers: [{keys: ["bob"]}]} # s\n',
    ],
    [
      'in block style',
      'keys:\n  bob: {file: bob.pub} # k\nrules: # r\n  - name: all # n\n    signers: # s\n      - keys:\n          - bob # b\n',
    ],
    [
      'on one line with its dash',
      'keys: {bob: {file: bob.pub}}\nrules:\n  - name: all # n\n    signers:\n      - keys: [bob] # b\n',
    ],
    ['beside rules for some packages', '# mine\nrules:\n  # first\n  - name: some # n\n    scope: {packages: [x]}\n'],
    [
      'with the dashes at the margin',
      'rules:\n- name: some # n\n  scope: {packages: [x]}\n- name: other # o\n  scope: {packages: [z]}\n',
    ],
    ['without rules', '# mine\ndefault: {level: permissive} # d\n'],
    ['with an empty list of rules', 'rules: [] # none yet\n'],
    ['with a rule for all that names nobody', 'rules:\n  - name: all\n    signers: []\n'],
    ['with a rule for all that has no signers', 'rules:\n  - name: all\n'],
    [
      'with a keyless rule for all',
      'trustRoots: {corp: {file: corp.json}}\nrules:\n  - name: all\n    signers: [{keyless: {trustRoot: corp, issuer: i, identity: me}}]\n',
    ],
  ]
  for (const [what, text] of layouts) {
    it(`works on a policy ${what}, which then trusts the key`, async () => {
      const changed = addTrustedKey(text, ALICE)
      const {document} = await signDocument(documentOf(), (await testKey('alice')).signer)
      expect(verifyDocument(document, await policyOf(changed)).verification.signers[0]?.key).to.equal('alice')
      expect(namesIn(changed)).to.include.members(namesIn(text))
    })
  }

  for (const [what, text] of layouts.slice(0, 6)) {
    it(`keeps every comment of a policy ${what}`, () => {
      const comments = text.match(/#.*$/gm) ?? []
      expect(addTrustedKey(text, ALICE).match(/#.*$/gm)).to.include.members(comments)
    })
  }

  it('refuses a name that stands for another file', () => {
    const text = addTrustedKey(undefined, ALICE)
    const work = (): string => addTrustedKey(text, {...ALICE, publicKeyFile: 'mallory.pub'})
    expectError(catchError(work), 'TRUST_POLICY_INVALID', /already has a key "alice"/)
  })

  it('refuses a policy that is broken, and names that no policy can have', () => {
    expectError(
      catchError(() => addTrustedKey('rules: [', ALICE)),
      'TRUST_POLICY_INVALID',
    )
    expectError(
      catchError(() => addTrustedKey('rulez: []\n', ALICE)),
      'TRUST_POLICY_INVALID',
    )
    for (const name of ['', '../x', 'a b', '__proto__', 'x: y']) {
      expectError(
        catchError(() => addTrustedKey(undefined, {...ALICE, name})),
        'TRUST_POLICY_INVALID',
      )
    }
  })
})

function difference(before: string, after: string): string[] {
  const rest = before.split('\n')
  return after.split('\n').filter((line) => {
    const index = rest.indexOf(line)
    if (index >= 0) rest.splice(index, 1)
    return index < 0
  })
}

/** Names of keys and rules in a policy text. */
function namesIn(text: string): string[] {
  const value = parseYaml(Buffer.from(text), 'policy').value as {keys?: object; rules?: {name: string}[]}
  return [...Object.keys(value.keys ?? {}), ...(value.rules ?? []).map(({name}) => name)]
}
