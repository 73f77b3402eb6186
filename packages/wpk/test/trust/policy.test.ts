import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {expect} from 'chai'
import {defaultTrustPolicy, loadTrustPolicy, verifyDocument} from '@atomctl/wpk/trust'
import {TEXT, catchError, documentOf, expectError, rejection, testKey} from '../signing/fixtures.ts'
import {policyOf} from './fixtures.ts'

const KEYLESS = '{keyless: {trustRoot: corp, issuer: "https://issuer", identity: "https://github.com/acme/*"}}'

describe('loading a trust policy', () => {
  it('reads keys, rules and levels, with the strict choice for whatever is left out', async () => {
    const policy = await policyOf(EXAMPLE)
    expect(policy.default).to.deep.equal({level: 'permissive'})
    expect([...policy.keys.keys()]).to.deep.equal(['release-2026', 'release-2025', 'old-laptop'])
    expect(policy.keys.get('release-2025')?.notAfter?.toISOString()).to.equal('2026-06-30T00:00:00.000Z')
    expect(policy.keys.get('old-laptop')?.revoked).to.equal(true)
    expect(policy.rules[1]).to.deep.include({level: 'strict', threshold: 1, bindRegistry: false})
    expect(policy.rules[1]?.scope).to.deep.equal({registries: ['*'], packages: ['vendor/*']})
  })

  it('trusts nobody and is strict without a file, and with an almost empty one', async () => {
    expect(defaultTrustPolicy().rules).to.deep.equal([])
    expect(await policyOf('default: {level: strict}\n')).to.deep.include({default: {level: 'strict'}, rules: []})
    expect((await policyOf('kind: TrustPolicy\n')).default).to.deep.equal({level: 'strict'})
  })

  const broken: [string, string, RegExp][] = [
    ['YAML that is none', 'rules: [', /trust-policy\.yaml:1/],
    ['an alias', 'a: &x 1\nb: *x\n', /trust-policy\.yaml:1/],
    ['a key twice', 'rules: []\nrules: []\n', /trust-policy\.yaml:2/],
    ['nothing', '', /trust-policy\.yaml/],
    ['a list', '[]', /trust-policy\.yaml/],
    ['an unknown field', 'rulez: []\n', /rulez/],
    ['another kind', 'kind: Pod\n', /:1:7: kind/],
    ['a level with a slip of the pen', 'default:\n  level: strictt\n', /:2:10: default\.level/],
    ['a rule without a name', 'rules:\n  - level: strict\n', /:2:5: rules\[0\]\.name/],
    ['an unknown field in a rule', 'rules:\n  - name: a\n    levle: skip\n', /rules\[0\].*levle/],
    ['a threshold of zero', 'rules:\n  - name: a\n    threshold: 0\n', /:3:16: rules\[0\]\.threshold/],
    ['an empty scope', 'rules:\n  - name: a\n    scope: {packages: []}\n', /:3:23: rules\[0\]\.scope\.packages/],
    ['two rules of one name', 'rules:\n  - name: a\n  - name: a\n', /:3:11: rules\[1\]\.name "a" is used twice/],
    ['a key that is not listed', 'rules:\n  - name: a\n    signers: [{keys: [x]}]\n', /:3:15: .*the key "x"/],
    ['a key named __proto__', 'rules:\n  - name: a\n    signers: [{keys: [constructor]}]\n', /the key "constructor"/],
    [
      'a trust root that is not listed',
      `rules:\n  - name: a\n    signers: [${KEYLESS}]\n`.replace('corp', 'none'),
      /trust root "none"/,
    ],
    ['a signer that is neither key nor identity', 'rules:\n  - name: a\n    signers: [{email: me}]\n', /:3:15/],
    [
      'a date that is no time',
      'keys: {alice: {file: alice.pub, notAfter: "2026-06-30"}}\n',
      /notAfter.*must be a time/,
    ],
    ['revoked as text', 'keys: {alice: {file: alice.pub, revoked: "no"}}\n', /revoked/],
    ['a key file that is missing', 'keys:\n  gone:\n    file: gone.pub\n', /:3:11: keys\.gone\.file .*gone\.pub/],
    ['a key file that is no key', 'keys:\n  me:\n    file: trust-policy.yaml\n', /:3:11: .*PEM/],
    ['one key under two names', 'keys:\n  a: {file: alice.pub}\n  b: {file: alice.pub}\n', /same key as a/],
  ]
  for (const [what, text, message] of broken) {
    it(`refuses ${what} and says where`, async () => {
      expectError(await rejection(policyOf(text)), 'TRUST_POLICY_INVALID', message)
    })
  }

  it('refuses a private key in the place of a public one', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'policy-'))
    writeFileSync(join(directory, 'cosign.key'), (await testKey('alice')).privateKeyPem)
    writeFileSync(join(directory, 'policy.yaml'), 'keys: {me: {file: cosign.key}}\n')
    const error = await rejection(loadTrustPolicy(join(directory, 'policy.yaml')))
    rmSync(directory, {recursive: true})
    expectError(error, 'TRUST_POLICY_INVALID', /not a public key/)
  })

  it('says which file is missing', async () => {
    expectError(
      await rejection(loadTrustPolicy('/nowhere/policy.yaml')),
      'TRUST_POLICY_INVALID',
      /\/nowhere\/policy\.yaml/,
    )
  })
})

describe('the rule that decides', () => {
  const R = 'https://registry.example.com'

  /** The rule that decides about a package, as the refusal of its missing or foreign signature shows it. */
  const decide = async (text: string, name: string, registry?: string): Promise<string> => {
    const policy = await policyOf(text)
    const document = {...documentOf(), name}
    return verifyDocument(document, policy, registry === undefined ? {} : {registry}).verification.rule
  }

  const rules = (...scopes: object[]): string =>
    JSON.stringify({
      default: {level: 'audit'},
      rules: scopes.map((scope, index) => ({name: `rule-${index}`, scope, level: 'audit'})),
    })

  const cases: [string, object[], string, string | undefined, string][] = [
    ['is the default when none matches', [{packages: ['acme/*']}], 'other', R, '(default)'],
    ['is the exact package before a pattern', [{packages: ['acme/*']}, {packages: ['acme/x']}], 'acme/x', R, 'rule-1'],
    ['is the longer pattern before the shorter', [{packages: ['a*']}, {packages: ['acme-*']}], 'acme-x', R, 'rule-1'],
    ['is a pattern before everything', [{packages: ['*']}, {packages: ['*x']}], 'acme-x', R, 'rule-1'],
    ['weighs packages before registries', [{registries: [R]}, {packages: ['acme-x']}], 'acme-x', R, 'rule-1'],
    ['is the exact registry when packages are equal', [{registries: ['*']}, {registries: [R]}], 'x', R, 'rule-1'],
    ['weighs only the patterns that match', [{packages: ['other', 'a*']}, {packages: ['ac*']}], 'acme', R, 'rule-1'],
    ['is not matched by a registry that only starts the same', [{registries: [R]}], 'x', `${R}.evil.io`, '(default)'],
    [
      'is not matched by a registry that only ends the same',
      [{registries: [R]}],
      'x',
      `https://evil.io/?${R}`,
      '(default)',
    ],
    [
      'treats dots as dots',
      [{registries: ['https://registry.*.com']}],
      'x',
      'https://registryXexample.com',
      '(default)',
    ],
    ['does not let * cross a slash', [{packages: ['acme/*']}], 'acme/x/y', R, '(default)'],
    ['matches any port of a host', [{registries: ['http://127.0.0.1:*']}], 'x', 'http://127.0.0.1:4000', 'rule-0'],
    [
      'takes one registry in any spelling',
      [{registries: [`${R}/`]}],
      'x',
      'HTTPS://Registry.example.com:443',
      'rule-0',
    ],
    ...['https://*.Example.com', 'HTTPS://registry.*.com', `https://*.example.com/`, 'https://*.example.com:443'].map(
      (pattern): [string, object[], string, string, string] => [
        `takes a pattern in any spelling, ${pattern}`,
        [{registries: [pattern]}],
        'x',
        R,
        'rule-0',
      ],
    ),
    ['is not avoided by the dot of the root', [{registries: [R]}], 'x', `${R}.:443/`, 'rule-0'],
    ['is not found by slowly trying', [{packages: [`${'*a'.repeat(12)}b`]}], 'a'.repeat(200), R, '(default)'],
    [
      'is one for every registry where a file has none',
      [{registries: [R]}, {registries: ['*']}],
      'x',
      undefined,
      'rule-1',
    ],
    [
      'is not one for some registries where a file has none',
      [{registries: ['https://*']}],
      'x',
      undefined,
      '(default)',
    ],
  ]
  for (const [title, scopes, name, registry, expected] of cases) {
    it(title, async () => expect(await decide(rules(...scopes), name, registry)).to.equal(expected))
  }

  it('must be one: two rules that are equally specific are an error naming both', async () => {
    const text = rules({packages: ['restart-*']}, {packages: ['*-unhealthy']}, {packages: ['restart-unhealth*']})
    expect(await decide(text, 'restart-unhealthy')).to.equal('rule-2')
    const tie = await policyOf(rules({packages: ['ab*']}, {packages: ['*cd']}))
    const document = {...documentOf(TEXT), name: 'abcd'}
    expectError(
      catchError(() => verifyDocument(document, tie)),
      'TRUST_POLICY_INVALID',
      /"rule-0" and "rule-1"/,
    )
  })
})

const EXAMPLE = `apiVersion: atomctl.dev/trust-policy/v1
kind: TrustPolicy
default: {level: permissive}
trustRoots:
  corp: {file: corp.json}
keys:
  release-2026: {file: alice.pub}
  release-2025: {file: bob.pub, notAfter: "2026-06-30T00:00:00Z"}
  old-laptop: {file: carol.pub, revoked: true}
rules:
  - name: first-party
    scope: {registries: ["https://registry.example.com"], packages: ["acme/*"]}
    level: strict
    threshold: 1
    signers:
      - keys: [release-2026, release-2025]
      - keyless:
          trustRoot: corp
          issuer: "https://token.actions.githubusercontent.com"
          identity: "https://github.com/acme/flows/.github/workflows/release.yml@refs/tags/*"
          require: {tlog: 1, timestamps: 1, sct: 1}
    bindRegistry: true
  - name: vendored
    scope: {packages: ["vendor/*"]}
    signers: [{keys: [release-2026]}]
`
