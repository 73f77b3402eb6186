import {DER, encodeObjectId, readDer, readDerList} from './der.ts'
import {malformed} from './malformed.ts'

/** Whom a certificate of Fulcio's kind names. Worth nothing before the certificate itself is verified. */
export interface Claims {
  /** URI, e-mail address or user name: the one subject alternative name. */
  readonly identity: string
  /** URL of the OIDC provider that vouched for the identity. */
  readonly issuer: string
}

// https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md
const ISSUER_V1 = encodeObjectId('1.3.6.1.4.1.57264.1.1')
const ISSUER_V2 = encodeObjectId('1.3.6.1.4.1.57264.1.8')
const USER_NAME = encodeObjectId('1.3.6.1.4.1.57264.1.7')
const SUBJECT_ALT_NAME = encodeObjectId('2.5.29.17')

const EMAIL_NAME = 0x81
const URI_NAME = 0x86
const OTHER_NAME = 0xa0

/**
 * Reads identity and issuer out of a certificate, strictly: exactly one name, text that is really UTF-8.
 * (sigstore-js reads both as 7-bit text, dropping the high bits, and takes the first of several names.)
 * Throws SIGNATURE_MALFORMED.
 */
export function readClaims(certificate: Buffer): Claims {
  const extensions = readExtensions(certificate)
  const names = extensions.get(SUBJECT_ALT_NAME.toString('hex'))
  const issuer = extensions.get(ISSUER_V2.toString('hex'))
  const earlier = extensions.get(ISSUER_V1.toString('hex'))
  if (!names || (!issuer && !earlier)) throw malformed('its certificate names no identity and issuer')
  return {
    identity: readName(names),
    issuer: issuer ? readUtf8(readDer(issuer, DER.utf8String)) : readUtf8(earlier ?? Buffer.alloc(0)),
  }
}

/** Values of all extensions by the hex of their object identifier. */
function readExtensions(certificate: Buffer): Map<string, Buffer> {
  const [body] = readDerList(readDer(certificate, DER.sequence))
  const list = readDerList(body?.content ?? Buffer.alloc(0)).find(({tag}) => tag === DER.extensions)
  if (!list) throw malformed('its certificate has no extensions')
  const extensions = new Map<string, Buffer>()
  for (const {content} of readDerList(readDer(list.content, DER.sequence))) {
    const parts = readDerList(content)
    const id = parts[0]?.content.toString('hex') ?? ''
    const value = parts.at(-1)
    if (value?.tag !== DER.octetString || extensions.has(id)) throw malformed('its certificate has a wrong extension')
    extensions.set(id, value.content)
  }
  return extensions
}

function readName(names: Buffer): string {
  const [name, ...others] = readDerList(readDer(names, DER.sequence))
  if (!name || others.length > 0) throw malformed('its certificate does not name exactly one identity')
  if (name.tag === URI_NAME || name.tag === EMAIL_NAME) return readUtf8(name.content)
  const [id, value] = readDerList(name.content)
  if (name.tag !== OTHER_NAME || !id?.content.equals(USER_NAME) || !value) {
    throw malformed('its certificate names an identity of an unknown kind')
  }
  return readUtf8(readDer(value.content, DER.utf8String))
}

function readUtf8(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  if (text === '' || !Buffer.from(text).equals(bytes)) throw malformed('its certificate holds text that is not UTF-8')
  return text
}
