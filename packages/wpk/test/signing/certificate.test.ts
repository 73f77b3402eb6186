import {expect} from 'chai'
import {readClaims} from '@atomctl/wpk/signing'
import {catchError, expectError} from './fixtures.ts'

/** One DER value; lengths up to 65535. */
function der(tag: number, ...parts: readonly (Uint8Array | string)[]): Buffer {
  const content = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  const size = content.length
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}

const SEQUENCE = 0x30
const FULCIO = [0x2b, 0x06, 0x01, 0x04, 0x01, 0x83, 0xbf, 0x30, 0x01]
const oid = (...bytes: readonly number[]): Buffer => der(0x06, Buffer.from(bytes))
const extension = (id: Buffer, value: Buffer): Buffer => der(SEQUENCE, id, der(0x04, value))
const names = (...list: readonly Buffer[]): Buffer => extension(oid(0x55, 0x1d, 0x11), der(SEQUENCE, ...list))
const issuer = (text: string | Uint8Array): Buffer => extension(oid(...FULCIO, 8), der(0x0c, text))
const oldIssuer = (text: string): Buffer => extension(oid(...FULCIO, 1), Buffer.from(text))
const uri = (text: string | Uint8Array): Buffer => der(0x86, text)

/** A certificate that is nothing but its extensions. */
function certificate(...extensions: readonly Buffer[]): Buffer {
  return der(SEQUENCE, der(SEQUENCE, der(0x02, '\u0001'), der(0xa3, der(SEQUENCE, ...extensions))))
}

const ISSUER = 'https://accounts.example.com'
const IDENTITY = 'https://github.com/acme/flows'

describe('the claims of a certificate', () => {
  it('are its one name and its issuer', () => {
    expect(readClaims(certificate(names(uri(IDENTITY)), issuer(ISSUER)))).to.deep.equal({
      identity: IDENTITY,
      issuer: ISSUER,
    })
  })

  it('may be an e-mail address, or a user name', () => {
    expect(readClaims(certificate(names(der(0x81, 'me@example.com')), issuer(ISSUER))).identity).to.equal(
      'me@example.com',
    )
    const user = der(0xa0, oid(...FULCIO, 7), der(0xa0, der(0x0c, 'me!example.com')))
    expect(readClaims(certificate(names(user), issuer(ISSUER))).identity).to.equal('me!example.com')
  })

  it('take the issuer from the old extension only where the new one is missing', () => {
    expect(readClaims(certificate(names(uri(IDENTITY)), oldIssuer(ISSUER))).issuer).to.equal(ISSUER)
    const both = certificate(oldIssuer('https://evil.example.com'), names(uri(IDENTITY)), issuer(ISSUER))
    expect(readClaims(both).issuer).to.equal(ISSUER)
  })

  // sigstore-js reads text as 7-bit ASCII and drops the high bit: "è" (0xE8) would become "h".
  it('are read as the bytes they are, never as 7-bit text', () => {
    const text = Buffer.from(ISSUER)
    text[0] = 0xe8
    expectError(
      catchError(() => readClaims(certificate(names(uri(IDENTITY)), issuer(text)))),
      'SIGNATURE_MALFORMED',
      /UTF-8/,
    )
    expect(readClaims(certificate(names(uri('https://é')), issuer(ISSUER))).identity).to.equal('https://é')
  })

  const broken: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['no DER', Buffer.from('-----BEGIN CERTIFICATE-----')],
    ['bytes behind the certificate', Buffer.concat([certificate(names(uri(IDENTITY)), issuer(ISSUER)), der(0x05)])],
    ['a certificate that is cut off', certificate(names(uri(IDENTITY)), issuer(ISSUER)).subarray(0, -1)],
    ['a longer length than DER has', Buffer.from([SEQUENCE, 0x81, 2, 5, 0])],
    ['an indefinite length', Buffer.from([SEQUENCE, 0x80, 0, 0])],
    ['a length beyond all bounds', Buffer.from([SEQUENCE, 0x84, 0xff, 0xff, 0xff, 0xff])],
    ['no extensions', der(SEQUENCE, der(SEQUENCE, der(0x02, '\u0001')))],
    ['no issuer', certificate(names(uri(IDENTITY)))],
    ['no name', certificate(issuer(ISSUER))],
    ['an empty name', certificate(names(uri('')), issuer(ISSUER))],
    ['two names', certificate(names(uri(IDENTITY), uri('https://evil.example.com')), issuer(ISSUER))],
    ['two issuers', certificate(names(uri(IDENTITY)), issuer(ISSUER), issuer('https://evil.example.com'))],
    ['a name of another kind', certificate(names(der(0x82, 'example.com')), issuer(ISSUER))],
    ['another kind of other name', certificate(names(der(0xa0, oid(0x2a), der(0xa0, der(0x0c, 'x')))), issuer(ISSUER))],
    ['an issuer that is no text', certificate(names(uri(IDENTITY)), extension(oid(...FULCIO, 8), der(0x04, ISSUER)))],
  ]
  for (const [what, bytes] of broken) {
    it(`are refused of ${what}`, () => {
      expectError(
        catchError(() => readClaims(bytes)),
        'SIGNATURE_MALFORMED',
      )
    })
  }
})
