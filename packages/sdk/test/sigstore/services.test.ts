import {expect} from 'chai'
import {isAtomError} from '@atomctl/sdk/errors'
import {parseSigningConfig, type SigstoreServices} from '../../src/sigstore/services.ts'

const DAY = 86_400_000
const at = (days: number): string => new Date(Date.now() + days * DAY).toISOString()

function service(name: string, fields: object = {}): object {
  return {url: `https://${name}.example.com`, majorApiVersion: 1, validFor: {start: at(-1)}, operator: name, ...fields}
}

function parse(fields: object): SigstoreServices {
  const config = {
    mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
    caUrls: [service('fulcio')],
    tsaUrls: [service('tsa')],
    tsaConfig: {selector: 'ANY'},
    ...fields,
  }
  return parseSigningConfig(Buffer.from(JSON.stringify(config)), 'signing_config.json')
}

const logs = (rekorTlogUrls: readonly object[], rekorTlogConfig: object): string[] =>
  parse({rekorTlogUrls, rekorTlogConfig}).logs.map(({url, version}) => `${url} v${version}`)

describe('a Sigstore signing config', () => {
  it('names a certificate authority and a clock; the log may be missing', () => {
    expect(parse({})).to.deep.equal({
      fulcioUrl: 'https://fulcio.example.com',
      logs: [],
      tsaUrls: ['https://tsa.example.com'],
    })
  })

  it('chooses what is valid now, whatever else it lists', () => {
    const past = service('old', {validFor: {start: at(-9), end: at(-8)}})
    const future = service('new', {validFor: {start: at(1)}})
    expect(logs([past, future, service('now')], {selector: 'ALL'})).to.deep.equal(['https://now.example.com v1'])
  })

  it('prefers a newer API version, and then the later start', () => {
    const services = [
      service('first', {operator: 'one'}),
      service('second', {operator: 'one', majorApiVersion: 2, validFor: {start: at(-3)}}),
      service('third', {operator: 'one', majorApiVersion: 2, validFor: {start: at(-2)}}),
    ]
    expect(logs(services, {selector: 'ANY'})).to.deep.equal(['https://third.example.com v2'])
  })

  it('leaves out API versions that nobody speaks yet', () => {
    expect(logs([service('far', {majorApiVersion: 3}), service('near')], {selector: 'ANY'})).to.deep.equal([
      'https://near.example.com v1',
    ])
  })

  it('takes one of all, one of each operator, or exactly as many as it says', () => {
    const services = [service('a'), service('b'), service('c', {operator: 'b'})]
    expect(logs(services, {selector: 'ANY'})).to.have.lengthOf(1)
    expect(logs(services, {selector: 'ALL'})).to.have.lengthOf(2)
    expect(logs(services, {selector: 'EXACT', count: 2})).to.have.lengthOf(2)
  })

  const broken: [string, object, RegExp][] = [
    ['another media type', {mediaType: 'application/json'}, /mediaType/],
    ['no certificate authority', {caUrls: []}, /certificate authority/],
    ['only an authority that is no longer valid', {caUrls: [service('x', {validFor: {end: at(-1)}})]}, /valid now/],
    ['neither log nor clock', {tsaUrls: []}, /no transparency log and no timestamp authority/],
    ['an unknown selector', {tsaConfig: {selector: 'SOME'}}, /unknown selector SOME/],
    ['fewer services than it asks for', {tsaConfig: {selector: 'EXACT', count: 2}}, /2 services are asked for/],
    ['an address that is no URL', {caUrls: [service('x', {url: 'fulcio'})]}, /not an http or https URL/],
    ['a list that is none', {caUrls: 7}, /signing_config\.json/],
  ]
  for (const [what, fields, message] of broken) {
    it(`is refused with ${what}`, () => {
      try {
        parse(fields)
      } catch (error) {
        expect(isAtomError(error) && error.code).to.equal('CONFIG_INVALID')
        expect((error as Error).message).to.match(message)
        return
      }
      expect.fail('was accepted')
    })
  }
})
