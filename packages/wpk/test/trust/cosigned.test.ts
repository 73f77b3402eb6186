import {expect} from 'chai'
import {loadDocument, setScalar, type WpkDocument} from '@atomctl/wpk/document'
import {bundlesOf, MAX_SIGNATURES, signDocument, type StatementOptions} from '@atomctl/wpk/signing'
import {ownRegistryName, type TrustPolicy, verifyDocument} from '@atomctl/wpk/trust'
import {READERS, reading, readWithPython} from '../document/readers.ts'
import {catchError, documentOf, expectError, fileOf, rejection, testKey, TEXT} from '../signing/fixtures.ts'
import {policyOf} from './fixtures.ts'

type Name = 'alice' | 'bob' | 'carol'

/** Alice and Bob, of whom the rule wants this many. */
function trustBoth(threshold: number, fields: object = {}, bob: object = {}): Promise<TrustPolicy> {
  const keys = {alice: {file: 'alice.pub'}, bob: {file: 'bob.pub', ...bob}}
  return policyOf(
    JSON.stringify({keys, rules: [{name: 'two', threshold, signers: [{keys: ['alice', 'bob']}], ...fields}]}),
  )
}

async function signedBy(
  names: readonly Name[],
  options: StatementOptions = {},
  from = documentOf(),
): Promise<WpkDocument> {
  let document = from
  for (const [index, name] of names.entries())
    document = (await signDocument(document, (await testKey(name)).signer, {...options, append: index > 0})).document
  return document
}

function signatureOf(document: WpkDocument): string {
  return String(document.wpk.metadata.signature)
}

const wordsOf = (document: WpkDocument): string[] => signatureOf(document).split(' ')

function withSignature(document: WpkDocument, signature: string): WpkDocument {
  return documentOf(setScalar(document.text, ['metadata', 'signature'], signature))
}

function verify(document: WpkDocument, policy: TrustPolicy, options = {}) {
  return verifyDocument(document, policy, options).verification
}

const namesOf = (document: WpkDocument, policy: TrustPolicy): (string | undefined)[] =>
  verify(document, policy).signers.map(({key}) => key)

function refusal(document: WpkDocument, policy: TrustPolicy, options = {}): unknown {
  return catchError(() => verifyDocument(document, policy, options))
}

describe('a package with several signatures', () => {
  it('satisfies a rule that wants two signers, and names both', async () => {
    const document = await signedBy(['alice', 'bob'])
    const {signers, warnings} = verify(document, await trustBoth(2))
    expect(signers.map(({key}) => key)).to.deep.equal(['alice', 'bob'])
    expect(warnings).to.deep.equal([])
  })

  it('is one line of text, which all readers read alike, and nothing else changed', async () => {
    const {text, value} = await signedBy(['alice', 'bob'])
    const lines = text.split('\n').filter((line) => !TEXT.split('\n').includes(line))
    expect(lines).to.have.length(1)
    expect(lines[0]).to.match(
      /^ {2}signature: "sigstore-bundle:v0\.3;base64,[\w+/=]+ sigstore-bundle:v0\.3;base64,[\w+/=]+"$/,
    )
    const meant = reading(() => value)
    for (const [name, read] of Object.entries(READERS))
      expect(
        reading(() => read(text)),
        name,
      ).to.equal(meant)
    const [python = meant] = readWithPython([text]) ?? [] // python3-yaml, where there is one
    expect(python).to.equal(meant)
  })

  it('falls short when one of them is cut out, whichever', async () => {
    const document = await signedBy(['alice', 'bob'])
    const policy = await trustBoth(2)
    for (const [index, word] of wordsOf(document).entries()) {
      const error = expectError(
        refusal(withSignature(document, word), policy),
        'SIGNER_UNTRUSTED',
        /has 1 of the 2 signatures/,
      )
      expect(error.message).to.contain(index === 0 ? '(alice)' : '(bob)')
      expect(error.hint).to.contain('--append')
    }
  })

  it('counts a signer once, however often they signed', async () => {
    const mine = signatureOf(await signedBy(['alice']))
    const again = signatureOf(await signedBy(['alice']))
    expect(mine).not.to.equal(again)
    for (const words of [`${mine} ${again}`, `${mine} ${mine}`]) {
      const document = withSignature(await signedBy(['alice']), words)
      expectError(refusal(document, await trustBoth(2)), 'SIGNER_UNTRUSTED', /1 of the 2 .* more than once/)
      expect(namesOf(document, await trustBoth(1))).to.deep.equal(['alice'])
    }
  })

  it('does not count whom the rule does not name, says so, and prints the lines that would trust them', async () => {
    const document = await signedBy(['alice', 'carol'])
    const {signers, warnings} = verify(document, await trustBoth(1))
    expect(signers.map(({key}) => key)).to.deep.equal(['alice'])
    expect(warnings.join()).to.match(/does not count: .* unknown key SHA256/)
    const error = expectError(refusal(document, await trustBoth(2)), 'SIGNER_UNTRUSTED', /1 of the 2 .* unknown key/)
    expect(error.hint).to.contain('signer: {file: "signer.pub"}').and.contain('"alice","bob"')
  })

  it('by strangers only: the lines trust them all, and they do', async () => {
    const document = await signedBy(['alice', 'bob'])
    const empty = await policyOf('default: {level: strict}\n')
    const error = expectError(refusal(document, empty), 'SIGNER_UNTRUSTED')
    const lines = (error.hint ?? '').split('\n').filter((line) => !/^(to trust|another)/.test(line))
    const text = lines.join('\n').replaceAll('signer-2.pub', 'bob.pub').replaceAll('signer.pub', 'alice.pub')
    expect(namesOf(document, await policyOf(text))).to.deep.equal(['signer', 'signer-2'])
  })

  it('does not count a revoked or expired key; alone it would not do, beside enough others it is a warning', async () => {
    const document = await signedBy(['alice', 'bob'])
    for (const [bob, code] of [
      [{revoked: true}, 'SIGNER_REVOKED'],
      [{notAfter: '2020-01-01T00:00:00Z'}, 'SIGNER_EXPIRED'],
    ] as const) {
      expectError(refusal(document, await trustBoth(2, {}, bob)), code, /1 of the 2/)
      const {signers, warnings} = verify(document, await trustBoth(1, {}, bob))
      expect(signers.map(({key}) => key)).to.deep.equal(['alice'])
      expect(warnings.join()).to.contain('key bob')
    }
  })

  it('at level permissive an expired co-signer counts with a warning, a missing one is refused', async () => {
    const policy = await trustBoth(2, {level: 'permissive'}, {notAfter: '2020-01-01T00:00:00Z'})
    expect(namesOf(await signedBy(['alice', 'bob']), policy)).to.deep.equal(['alice', 'bob'])
    expectError(refusal(await signedBy(['alice']), policy), 'SIGNER_UNTRUSTED')
  })

  it('at level audit everything that strict would refuse is said', async () => {
    const {signers, warnings} = verify(await signedBy(['alice']), await trustBoth(2, {level: 'audit'}))
    expect(signers.map(({key}) => key)).to.deep.equal(['alice'])
    expect(warnings.join()).to.match(/1 of the 2 signatures/)
  })

  it('is refused for one bad signature among good ones, at every level that enforces', async () => {
    const document = await signedBy(['alice', 'bob'])
    const [alice = '', bob = ''] = wordsOf(document)
    const json = JSON.parse(Buffer.from(bob.split(',')[1] ?? '', 'base64').toString()) as {
      dsseEnvelope: {signatures: [{sig: string}]}
    }
    json.dsseEnvelope.signatures[0].sig = Buffer.alloc(70, 1).toString('base64')
    const broken = `${bob.split(',')[0]},${Buffer.from(JSON.stringify(json)).toString('base64')}`
    for (const level of ['strict', 'permissive'])
      for (const words of [`${alice} ${broken}`, `${broken} ${alice}`])
        expectError(refusal(withSignature(document, words), await trustBoth(1, {level})), 'WPK_TAMPERED', /key bob/)
    const audited = verify(withSignature(document, `${alice} ${broken}`), await trustBoth(1, {level: 'audit'}))
    expect(audited.signers.map(({key}) => key)).to.deep.equal(['alice'])
  })

  it('is refused for a signature over other content, also by somebody nobody knows', async () => {
    const document = await signedBy(['alice'])
    const other = await signedBy(['carol'], {}, documentOf(TEXT.replace('author: SRE', 'author: Somebody')))
    const words = `${signatureOf(document)} ${signatureOf(other)}`
    expectError(refusal(withSignature(document, words), await trustBoth(1)), 'WPK_TAMPERED', /changed after/)
  })

  it('is refused for signatures over different files, also where the files are not at hand', async () => {
    const plain = await signedBy(['alice'])
    const withFiles = await signedBy(['carol'], {files: [fileOf('run.sh', 'x')]})
    const words = `${signatureOf(plain)} ${signatureOf(withFiles)}`
    expectError(refusal(withSignature(plain, words), await trustBoth(1)), 'WPK_TAMPERED', /different files/)
  })

  for (const [what, join] of [
    ['two spaces', (one: string, two: string) => `${one}  ${two}`],
    ['a tab', (one: string, two: string) => `${one}\t${two}`],
    ['a line break', (one: string, two: string) => `${one}\n${two}`],
    ['a comma', (one: string, two: string) => `${one},${two}`],
    ['a space at the end', (one: string) => `${one} `],
    ['a space at the beginning', (one: string) => ` ${one}`],
    ['a word that is no signature', (one: string) => `${one} cosign-0123456789abcdef`],
    ['a mock signature first', (one: string) => `cosign-0123456789abcdef ${one}`],
    ['another version of the scheme', (one: string, two: string) => `${one} ${two.replace('v0.3', 'v0.4')}`],
    ['a word that is not base64', (one: string) => `${one} sigstore-bundle:v0.3;base64,%%%`],
    ['a bundle that is no bundle', (one: string) => `${one} sigstore-bundle:v0.3;base64,e30=`],
    [
      'more signatures than there may be',
      (one: string) =>
        Array(MAX_SIGNATURES + 1)
          .fill(one)
          .join(' '),
    ],
  ] as const) {
    it(`is refused with ${what}`, async () => {
      const document = await signedBy(['alice', 'bob'])
      const [alice = '', bob = ''] = wordsOf(document)
      expectError(refusal(withSignature(document, join(alice, bob)), await trustBoth(1)), 'SIGNATURE_MALFORMED')
    })
  }

  it('is read in bounded time, whatever the text is', async () => {
    const document = await signedBy(['alice'])
    const spaces = `${signatureOf(document)}${' '.repeat(900_000)}`
    const {value} = document
    ;(value['metadata'] as {signature: string}).signature = spaces
    expectError(
      catchError(() => bundlesOf(value)),
      'SIGNATURE_MALFORMED',
    )
  })

  it('bound to a registry by one of them is not good for another', async () => {
    const policy = await trustBoth(1)
    const bound = await signedBy(['alice'], {registry: 'https://one.example'})
    const document = withSignature(bound, `${signatureOf(bound)} ${signatureOf(await signedBy(['bob']))}`)
    expectError(refusal(document, policy, {registry: 'https://two.example'}), 'WPK_TAMPERED', /for the registry/)
    expect(verify(document, policy, {registry: 'https://one.example/'}).signers).to.have.length(2)
    expectError(
      refusal(document, await trustBoth(1, {bindRegistry: true}), {registry: 'https://one.example'}),
      'WPK_TAMPERED',
    )
    expect(ownRegistryName(document, ['https://zero.example', 'https://one.example'])).to.equal('https://one.example')
  })

  it('needs one of the counted signers to say from which commit it was built', async () => {
    const source = {commit: 'a'.repeat(40), dirty: false}
    const provenance = {builder: 'local', builtAt: '2026-01-01T00:00:00Z', source}
    const policy = await trustBoth(2, {requireProvenance: true})
    const first = await signedBy(['alice'])
    const stated = await signedBy(['bob'], {provenance})
    const both = withSignature(first, `${signatureOf(first)} ${signatureOf(stated)}`)
    expect(verify(both, policy).provenance).to.deep.equal(provenance)
    expectError(refusal(await signedBy(['alice', 'bob']), policy), 'SIGNER_UNTRUSTED', /commit/)
    const stranger = withSignature(
      first,
      `${signatureOf(first)} ${signatureOf(await signedBy(['carol'], {provenance}))}`,
    )
    expectError(refusal(stranger, await trustBoth(1, {requireProvenance: true})), 'SIGNER_UNTRUSTED', /commit/)
  })
})

describe('appending a signature', () => {
  const append = async (document: WpkDocument, name: Name, options: StatementOptions = {}): Promise<unknown> =>
    rejection(signDocument(document, (await testKey(name)).signer, {...options, append: true}))

  it('keeps the signatures that are there byte for byte; signing without it replaces them all', async () => {
    const one = await signedBy(['alice'])
    const two = await signedBy(['alice', 'bob'])
    const {document} = await signDocument(one, (await testKey('bob')).signer, {append: true})
    expect(wordsOf(document)[0]).to.equal(signatureOf(one))
    const {document: replaced} = await signDocument(two, (await testKey('carol')).signer)
    expect(bundlesOf(replaced.value)).to.have.length(1)
  })

  it('is refused where there is none yet', async () => {
    expectError(await append(documentOf(), 'alice'), 'WPK_UNSIGNED')
  })

  it('is refused to content that changed after it was signed', async () => {
    const {text} = await signedBy(['alice'])
    const changed = loadDocument(Buffer.from(text.replace('author: SRE', 'author: Somebody')), 'x.wpk.yaml')
    expectError(await append(changed, 'bob'), 'WPK_TAMPERED', /changed after it was signed/)
  })

  it('is refused with other files or another registry than the others signed', async () => {
    const document = await signedBy(['alice'], {registry: 'https://one.example', files: [fileOf('a', 'x')]})
    const files = [fileOf('a', 'x')]
    expectError(await append(document, 'bob', {registry: 'https://one.example'}), 'WPK_TAMPERED', /other files/)
    const error = expectError(await append(document, 'bob', {files}), 'WPK_TAMPERED', /https:\/\/one\.example/)
    expect(error.hint).to.contain('--registry https://one.example')
    expect(await append(document, 'bob', {files, registry: 'https://one.example/'})).to.equal(undefined)
  })

  it('is refused to the same key', async () => {
    expectError(await append(await signedBy(['alice', 'bob']), 'alice'), 'SIGNATURE_EXISTS', /already/)
  })

  it('is refused beside a signature that cannot be read', async () => {
    expectError(
      await append(withSignature(documentOf(), 'sigstore-bundle:v0.3;base64,e30='), 'bob'),
      'SIGNATURE_MALFORMED',
    )
  })

  it('is refused beyond the most there may be', async () => {
    const document = await signedBy(['alice'])
    const full = withSignature(document, Array(MAX_SIGNATURES).fill(signatureOf(document)).join(' '))
    expectError(await append(full, 'bob'), 'SIGNATURE_EXISTS', /the most/)
  })
})
