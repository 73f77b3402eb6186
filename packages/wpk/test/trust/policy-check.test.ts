import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {generateKeyPairSync} from 'node:crypto'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {checkTrustPolicy, explainTrust, STARTER_POLICY} from '@atomctl/wpk/trust/policy-check'
import {expect} from 'chai'
import fc from 'fast-check'
import {commonTexts} from '../../src/trust/policy-check/intersection.ts'
import {matchesPattern} from '../../src/trust/rules.ts'
import {catchError, expectError, testKey} from '../signing/fixtures.ts'
import {EMPTY_ROOT, policyOf} from './fixtures.ts'

const NOW = new Date('2026-06-01T00:00:00Z')

/** `rule at line:column` of every finding, errors with a `!`. */
async function findingsOf(text: string): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'policy-check-'))
  try {
    for (const name of ['alice', 'bob'])
      writeFileSync(join(directory, `${name}.pub`), (await testKey(name)).publicKeyPem)
    const {publicKey} = generateKeyPairSync('ed25519')
    writeFileSync(join(directory, 'edward.pub'), publicKey.export({type: 'spki', format: 'pem'}))
    writeFileSync(join(directory, 'corp.json'), EMPTY_ROOT)
    writeFileSync(join(directory, 'policy.yaml'), text)
    const {findings} = await checkTrustPolicy(join(directory, 'policy.yaml'), NOW)
    return findings.map(({rule, severity, position}) => {
      const mark = severity === 'error' ? '!' : ''
      return `${mark}${rule} ${position?.line}:${position?.column}`
    })
  } finally {
    rmSync(directory, {recursive: true, force: true})
  }
}

const KEYS = 'keys: {alice: {file: alice.pub}, bob: {file: bob.pub}}\n'
const rules = (...lines: string[]): string => `${KEYS}rules:\n${lines.map((line) => `  - ${line}\n`).join('')}`

describe('checking a trust policy', () => {
  it('has nothing to say about a sound one, nor about the one to start from', async () => {
    expect(await findingsOf(rules('{name: all, signers: [{keys: [alice, bob]}]}'))).to.deep.equal([])
    expect(await findingsOf(STARTER_POLICY)).to.deep.equal([])
  })

  const cases: [what: string, text: string, findings: string[]][] = [
    ['a text that is no YAML', 'rules: [\n', ['!yaml_syntax 2:1']],
    ['an anchor', 'default: &a {level: strict}\n', ['!yaml_anchor 1:10']],
    [
      'a registry that is no URL, so that the rule is for nothing',
      rules('{name: all, signers: [{keys: [alice, bob]}], scope: {registries: ["*.example.com"]}}'),
      ['policy_scope 3:71'],
    ],
    [
      'every unknown key, at itself',
      'defualt: {}\nrules: [{name: a, signer: []}]\n',
      ['!policy_form 2:27', '!policy_form 1:10'],
    ],
    ['a level that does not exist', 'default: {level: lax}\n', ['!policy_form 1:18']],
    ['a signer that is neither key nor identity', 'rules: [{name: a, signers: [{key: [b]}]}]\n', ['!policy_form 1:29']],
    ['a time that is none', 'keys: {a: {file: a.pub, notAfter: soon}}\n', ['!policy_form 1:35']],
    [
      'a key file that is missing',
      'keys: {a: {file: none.pub}}\nrules: [{name: a, signers: [{keys: [a]}]}]\n',
      ['!policy_key 1:18'],
    ],
    [
      'a key of a kind whose signatures cannot be checked',
      'keys: {e: {file: edward.pub}}\nrules: [{name: a, signers: [{keys: [e]}]}]\n',
      ['!policy_key 1:18'],
    ],
    [
      'a key that does not exist',
      rules(
        '{name: all, signers: [{keys: [alicia]}]}',
        '{name: b, scope: {packages: [x]}, signers: [{keys: [alice, bob]}]}',
      ),
      ['!policy_reference 3:27'],
    ],
    [
      'a trust root that does not exist',
      `rules: [{name: all, signers: [{keyless: {trustRoot: x, issuer: a, identity: b}}]}]\n`,
      ['!policy_reference 1:31'],
    ],
    [
      'one key under two names',
      'keys: {a: {file: alice.pub}, b: {file: alice.pub}}\nrules: [{name: a, signers: [{keys: [a, b]}]}]\n',
      ['!policy_key 1:33'],
    ],
    [
      'a name used twice',
      rules(
        '{name: a, scope: {packages: [x]}, signers: [{keys: [alice]}]}',
        '{name: a, scope: {packages: [z]}, signers: [{keys: [bob]}]}',
      ),
      ['!policy_reference 4:12'],
    ],
    ['keys that no rule names', KEYS, ['policy_unused 1:15', 'policy_unused 1:39']],
    ['a rule that names nobody', 'rules: [{name: a}]\n', ['policy_signers 1:16']],
    [
      'a level that lets everything through',
      'default: {level: audit}\nrules: [{name: a, level: skip}]\n',
      ['policy_level 1:18', 'policy_level 2:26'],
    ],
    [
      'a threshold that nobody can reach',
      rules('{name: a, threshold: 3, signers: [{keys: [alice, bob]}, {keys: [bob]}]}'),
      ['policy_signers 3:26'],
    ],
    [
      'nothing about a threshold that can be reached',
      rules('{name: a, threshold: 2, signers: [{keys: [alice, bob]}]}'),
      [],
    ],
    [
      'a threshold above the number of signatures that a package carries',
      `trustRoots: {corp: {file: corp.json}}\nrules: [{name: a, threshold: 9, signers: [{keyless: {trustRoot: corp, issuer: i, identity: "*"}}]}]\n`,
      ['policy_signers 2:30'],
    ],
    [
      'a threshold that a revoked key would have to meet',
      'keys: {alice: {file: alice.pub}, bob: {file: bob.pub, revoked: true}}\nrules: [{name: a, threshold: 2, signers: [{keys: [alice, bob]}]}]\n',
      ['policy_key 1:39', 'policy_signers 2:30'],
    ],
  ]
  for (const [what, text, findings] of cases)
    it(`finds ${what}`, async () => expect(await findingsOf(text)).to.deep.equal(findings))

  it('warns of keys that are revoked, expired, or about to be', async () => {
    const key = (facts: string): string =>
      `keys: {alice: {file: alice.pub, ${facts}}}\nrules: [{name: a, signers: [{keys: [alice]}]}]\n`
    expect(await findingsOf(key('revoked: true'))).to.deep.equal(['policy_key 1:15'])
    expect(await findingsOf(key('notAfter: "2026-05-31T00:00:00Z"'))).to.deep.equal(['policy_key 1:43'])
    expect(await findingsOf(key('notAfter: "2026-06-30T00:00:00Z"'))).to.deep.equal(['policy_key 1:43'])
    expect(await findingsOf(key('notAfter: "2026-07-02T00:00:00Z"'))).to.deep.equal([])
  })

  describe('finds rules that tie', () => {
    const pair = (one: string, other: string, ...more: string[]): string =>
      rules(
        ...[one, other, ...more].map(
          (scope, index) => `{name: r${index}, scope: {${scope}}, signers: [{keys: [alice, bob]}]}`,
        ),
      )
    const ties: [string, string][] = [
      ['packages: [a]', 'packages: [b, a]'],
      ['packages: ["rotate-*"]', 'packages: ["*-secret"]'],
      ['packages: ["*"]', 'registries: ["*"]'],
      ['registries: ["https://r.example.com"]', 'registries: ["https://R.example.com:443/"]'],
      ['registries: ["https://*.example.com"]', 'registries: ["https://e*example.com", "https://x"]'],
    ]
    for (const [one, other] of ties)
      it(`{${one}} and {${other}}`, async () =>
        expect(await findingsOf(pair(one, other))).to.deep.equal(['!policy_tie 4:23']))

    const fine: [string, string, ...string[]][] = [
      ['packages: [a]', 'packages: [b]'],
      ['packages: [a]', 'packages: ["*"]'],
      ['packages: ["rotate-*"]', 'packages: ["backup-*"]'],
      ['packages: ["rotate-*"]', 'packages: ["rotate-secret-*"]'],
      ['registries: ["https://a/*"]', 'registries: ["https://a/b/c"]'],
      // the tie of the first two is never reached: a third is more specific wherever they meet
      ['packages: ["a*"]', 'packages: ["*b"]', 'packages: ["a*b"]'],
    ]
    for (const scopes of fine)
      it(`not ${scopes.map((scope) => `{${scope}}`).join(' and ')}`, async () =>
        expect(await findingsOf(pair(...scopes))).to.deep.equal([]))

    it('and warns where each of two is the more specific one in its own way', async () => {
      const found = await findingsOf(pair('packages: ["rotate-*"]', 'registries: ["https://r.example.com"]'))
      expect(found).to.deep.equal(['policy_overlap 4:23'])
    })
  })

  it('calls an error what loading the policy refuses, and nothing else', async () => {
    for (const [what, text, findings] of cases) {
      const loading = await policyOf(text).then(
        () => 'loaded',
        (error: {code: string}) => error.code,
      )
      const isBroken = findings.some((finding) => finding.startsWith('!'))
      expect(loading, what).to.equal(isBroken ? 'TRUST_POLICY_INVALID' : 'loaded')
    }
  })

  it('refuses a file that is not there', async () => {
    const error = await checkTrustPolicy('/nowhere/policy.yaml').catch((reason: unknown) => reason)
    expectError(error, 'TRUST_POLICY_INVALID', /^\/nowhere\/policy\.yaml does not exist$/)
  })
})

describe('texts that two patterns have in common', () => {
  const pattern = fc.string({unit: fc.constantFrom('a', 'b', '-', '/', '*'), maxLength: 8})

  it('match both', () => {
    fc.assert(
      fc.property(pattern, pattern, (one, other) => {
        for (const text of commonTexts(one, other)) {
          expect(matchesPattern(one, text), text).to.equal(true)
          expect(matchesPattern(other, text), text).to.equal(true)
        }
      }),
      {numRuns: 2000},
    )
  })

  it('exist whenever any text matches both', () => {
    const text = fc.string({unit: fc.constantFrom('a', 'b', '-', '/'), maxLength: 6})
    fc.assert(
      fc.property(pattern, pattern, text, (one, other, sample) => {
        fc.pre(matchesPattern(one, sample) && matchesPattern(other, sample))
        expect(commonTexts(one, other)).not.to.deep.equal([])
      }),
      {numRuns: 300, maxSkipsPerRun: 5000},
    )
  })
})

describe('explaining a trust policy', () => {
  const POLICY = `keys: {alice: {file: alice.pub, notAfter: "2026-05-01T00:00:00Z"}, bob: {file: bob.pub}, carol: {file: carol.pub, revoked: true}}
rules:
  - {name: all, signers: [{keys: [alice, carol]}]}
  - {name: rotations, scope: {packages: ["rotate-*"]}, signers: [{keys: [bob]}], bindRegistry: true}
`
  it('names the rule that decides, whom it wants, and the rules it stands before', async () => {
    const policy = await policyOf(POLICY)
    const found = explainTrust(policy, {name: 'rotate-secret', registry: undefined}, NOW)
    expect(found).to.deep.include({
      rule: 'rotations',
      level: 'strict',
      bindRegistry: true,
      others: ['all', '(default)'],
    })
    expect(found.signers.map(({key, problem}) => [key, problem])).to.deep.equal([['bob', undefined]])
  })

  it('says whose signature would be refused, and why', async () => {
    const {signers} = explainTrust(await policyOf(POLICY), {name: 'x', registry: 'https://r'}, NOW)
    expect(signers.map(({problem}) => problem)).to.deep.equal(['expired at 2026-05-01T00:00:00.000Z', 'revoked'])
  })

  it('falls back to the default', async () => {
    const found = explainTrust(await policyOf('default: {level: permissive}\n'), {name: 'x', registry: undefined}, NOW)
    expect(found).to.deep.include({rule: '(default)', level: 'permissive', others: [], signers: []})
  })

  it('refuses where two rules tie', async () => {
    const policy = await policyOf('rules: [{name: a}, {name: b}]\n')
    expectError(
      catchError(() => explainTrust(policy, {name: 'x', registry: undefined})),
      'TRUST_POLICY_INVALID',
      /equally/,
    )
  })

  it('reads the starter policy as one without rules', async () => {
    expect((await policyOf(STARTER_POLICY)).rules).to.deep.equal([])
  })
})
