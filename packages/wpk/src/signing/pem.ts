import {AtomError} from '../errors.ts'

export interface PemBlock {
  readonly label: string
  readonly bytes: Buffer
}

/** Far above any key; keeps a hostile file from costing anything. */
const MAX_PEM_CHARACTERS = 64 * 1024

const PEM = /^-----BEGIN ([A-Z0-9 ]+)-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END \1-----\s*$/

/** The one PEM block a key file consists of (RFC 7468). Throws KEY_INVALID for anything else. */
export function parsePem(text: string): PemBlock {
  const match = text.length <= MAX_PEM_CHARACTERS ? PEM.exec(text.trimStart()) : null
  const [, label = '', body = ''] = match ?? []
  const bytes = decodeBase64(body.replace(/[\r\n]/g, ''))
  if (!match || !bytes) throw new AtomError('KEY_INVALID', 'the key is not exactly one PEM block')
  return {label, bytes}
}

export function formatPem({label, bytes}: PemBlock): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** Standard base64 in its one canonical spelling; undefined for any other text, which Buffer would accept silently. */
export function decodeBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
