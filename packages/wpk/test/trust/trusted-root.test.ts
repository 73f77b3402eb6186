import {generateKeyPairSync} from 'node:crypto'
import {parseTrustRoot} from '@atomctl/wpk/trust/keyless'
import {expect} from 'chai'
import {catchError, expectError} from '../signing/fixtures.ts'

const {publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'})
const DER = publicKey.export({type: 'spki', format: 'der'})

const log = (fields: object = {}, key: object = {}): object => ({
  baseUrl: 'https://rekor.example.com',
  hashAlgorithm: 'SHA2_256',
  publicKey: {
    rawBytes: DER.toString('base64'),
    keyDetails: 'PKIX_ECDSA_P256_SHA_256',
    validFor: {start: '2021-01-12T11:53:27Z'},
    ...key,
  },
  logId: {keyId: 'wNI9atQGlz+VWfO6LRygH4QUfY/8W4RFwiT5i5WRgB0='},
  ...fields,
})

const parse = (fields: object): unknown => {
  const root = {mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1', ...fields}
  return parseTrustRoot(Buffer.from(JSON.stringify(root)), 'root.json')
}

describe('a trusted root', () => {
  it('is read, with whatever Sigstore clients write', () => {
    expect(() => parse({})).not.to.throw()
    expect(() =>
      parse({tlogs: [log({operator: 'us', checkpointKeyId: {keyId: 'AAAA'}})], ctlogs: [log()]}),
    ).not.to.throw()
    const validFor = {start: '2021-01-12T11:53:27.123456789+02:00', end: '2024-02-29T23:59:59Z'}
    expect(() => parse({tlogs: [log({}, {validFor})]})).not.to.throw()
  })

  const wrong: [string, object, RegExp][] = [
    ['an unknown field', {extra: 1}, /trusted root: unknown field "extra"/],
    ['an unknown field of a log', {tlogs: [log({base_url: 'x'})]}, /tlogs\[0\]: unknown field "base_url"/],
    ['logs that are no list', {tlogs: {}}, /tlogs: not a list/],
    ['another digest', {tlogs: [log({hashAlgorithm: 'SHA2_512'})]}, /hashAlgorithm: not SHA2_256/],
    ['no digest', {tlogs: [log({hashAlgorithm: undefined})]}, /hashAlgorithm/],
    ['a kind of key that nobody knows', {tlogs: [log({}, {keyDetails: 'NEW'})]}, /keyDetails: not PKIX/],
    ['a key of another kind', {ctlogs: [log({}, {keyDetails: 'PKIX_ED25519'})]}, /ctlogs\[0\]\.publicKey: not exactly/],
    [
      'bytes behind a key',
      {tlogs: [log({}, {rawBytes: Buffer.concat([DER, Buffer.of(0)]).toString('base64')})]},
      /tlogs\[0\]\.publicKey: not exactly one key/,
    ],
    [
      'base64 with a space',
      {tlogs: [log({}, {rawBytes: ` ${DER.toString('base64')}`})]},
      /rawBytes: not standard base64/,
    ],
    ['no start', {tlogs: [log({}, {validFor: {}})]}, /validFor\.start is missing/],
    ['a day that there is not', {tlogs: [log({}, {validFor: {start: '2023-02-30T00:00:00Z'}})]}, /start: not a time/],
    ['a time without zone', {tlogs: [log({}, {validFor: {start: '2023-02-01T00:00:00'}})]}, /start: not a time/],
    ['a time as a number', {tlogs: [log({}, {validFor: {start: 0}})]}, /start: not a time/],
    [
      'an authority without certificates',
      {certificateAuthorities: [{validFor: {start: '2023-02-01T00:00:00Z'}}]},
      /certChain/,
    ],
    ['a URL with a line break', {tlogs: [log({baseUrl: 'https://x\n'})]}, /baseUrl: not a URL/],
    ['half of a surrogate pair', {tlogs: [log({operator: '\ud800'})]}, /operator: not a text/],
  ]
  for (const [what, fields, message] of wrong) {
    it(`is refused with ${what}, saying where`, () => {
      const error = catchError(() => parse(fields))
      expectError(error, 'TRUST_ROOT_INVALID')
      expect(error)
        .to.have.property('message')
        .that.matches(message)
        .and.contains('root.json is not a Sigstore trusted root')
    })
  }
})
