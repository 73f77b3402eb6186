import {createPublicKey, type KeyObject} from 'node:crypto'
import type {Mutant} from './index.ts'

/** Other spellings and other contents of a public key's PEM. */
export function keyMutants(pem: string): Mutant[] {
  const [body = ''] = /(?<=-\n)[^-]+(?=\n-)/.exec(pem) ?? []
  const der = Buffer.from(body, 'base64')
  const wrap = (bytes: Uint8Array, label = 'PUBLIC KEY'): string => {
    const lines =
      Buffer.from(bytes)
        .toString('base64')
        .match(/.{1,64}/g) ?? []
    return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
  }
  const texts: [string, string][] = [
    ['as it is', pem],
    ['without the last line break', pem.trimEnd()],
    ['with CRLF', pem.replaceAll('\n', '\r\n')],
    ['with empty lines around', `\n\n${pem}\n\n`],
    ['with text before', `this is a key\n${pem}`],
    ['with text behind', `${pem}more\n`],
    ['twice', pem + pem],
    ['with a byte order mark', `\uFEFF${pem}`],
    ['on one line', pem.replace(body, body.replaceAll('\n', ''))],
    ['with spaces in the lines', pem.replace(body, body.replaceAll('\n', ' \n'))],
    ['with a header', pem.replace('-----\n', '-----\nComment: x\n\n')],
    ['with a foreign character', pem.replace(body, `*${body}`)],
    ['in url-safe base64', pem.replace(body, body.replaceAll('+', '-').replaceAll('/', '_'))],
    ['with four dashes', pem.replaceAll('-----', '----')],
    ['with another end', pem.replace('END PUBLIC', 'END PRIVATE')],
    ['empty', ''],
    ['bare base64', body],
    ...['CERTIFICATE', 'RSA PUBLIC KEY', 'EC PUBLIC KEY', 'PRIVATE KEY', 'public key'].map(
      (label): [string, string] => [`called ${label}`, wrap(der, label)],
    ),
    ...derChanges(der).map(([what, bytes]): [string, string] => [what, wrap(bytes)]),
    ['with the point compressed', wrap(compressed(createPublicKey(pem)))],
  ]
  return [
    ...texts.map(([what, text]) => ({what: `the key ${what}`, bytes: Buffer.from(text)})),
    {what: 'the key as bare DER', bytes: der},
    {what: 'the key in UTF-16', bytes: Buffer.from(pem, 'utf16le')},
  ]
}

function derChanges(der: Buffer): [string, Buffer][] {
  const flips = Array.from({length: der.length}, (_, index): [string, Buffer] => {
    const copy = Buffer.from(der)
    copy[index] = (copy[index] ?? 0) ^ 1
    return [`with a bit of byte ${index} turned`, copy]
  })
  return [
    ['with a byte behind its DER', Buffer.concat([der, Buffer.of(0)])],
    ['with a byte less of its DER', der.subarray(0, -1)],
    ['with a longer form of its length', Buffer.concat([Buffer.of(0x30, 0x81), der.subarray(1)])],
    ...flips,
  ]
}

/** The same key of P-256, its point written as x and the sign of y. */
function compressed(key: KeyObject): Buffer {
  const {x = '', y = ''} = key.export({format: 'jwk'})
  const sign = (Buffer.from(y, 'base64url').at(-1) ?? 0) & 1
  const head = Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex')
  return Buffer.concat([head, Buffer.of(2 + sign), Buffer.from(x, 'base64url')])
}
