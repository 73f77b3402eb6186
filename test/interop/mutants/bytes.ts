import type {Change} from './changes.ts'

/** The order of the P-256 group: with any signature (r, s), (r, n - s) is one too. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
const SEQUENCE = 0x30
const INTEGER = 0x02

/** Other bytes, and other spellings of the same bytes, in the place of base64. None for other text. */
export function bytesChanges(text: string): Change[] {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length === 0 || bytes.toString('base64') !== text) return []
  const changed: [string, Buffer][] = [
    ['a byte more at the end', Buffer.concat([bytes, Buffer.of(0)])],
    ['a byte more at the start', Buffer.concat([Buffer.of(0), bytes])],
    ['a byte less', bytes.subarray(0, -1)],
    ['half of it', bytes.subarray(0, bytes.length >> 1)],
    ['the first bit turned', flipped(bytes, 0)],
    ['the last bit turned', flipped(bytes, bytes.length - 1)],
    ['a bit in the middle turned', flipped(bytes, bytes.length >> 1)],
    ['zeros', Buffer.alloc(bytes.length)],
    ...derChanges(bytes),
    ...jsonChanges(bytes),
  ]
  return [...spellings(text), ...changed.map(([what, other]): Change => [what, other.toString('base64')])]
}

function spellings(text: string): Change[] {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
  const bare = text.replace(/=+$/, '')
  const last = alphabet[alphabet.indexOf(bare.at(-1) ?? '') + 1] ?? 'A'
  return [
    ['url-safe base64', text.replaceAll('+', '-').replaceAll('/', '_')],
    ['base64 without padding', bare],
    ['base64 with more padding', `${text}=`],
    [
      'base64 with a padding that is not zero',
      text.endsWith('=') ? `${bare.slice(0, -1)}${last}${text.slice(bare.length)}` : text,
    ],
    ['base64 with a line break', `${text.slice(0, 4)}\n${text.slice(4)}`],
    ['base64 with a space', `${text.slice(0, 4)} ${text.slice(4)}`],
    ['base64 with a foreign character', `${text.slice(0, 4)}*${text.slice(4)}`],
    ['hexadecimal', Buffer.from(text, 'base64').toString('hex')],
  ]
}

function flipped(bytes: Buffer, index: number): Buffer {
  const copy = Buffer.from(bytes)
  copy[index] = (copy[index] ?? 0) ^ 1
  return copy
}

/** The same structure in BER that is not DER, and what the outer length does not cover. */
function derChanges(bytes: Buffer): [string, Buffer][] {
  if (bytes[0] !== SEQUENCE) return []
  const header = (bytes[1] ?? 0) < 0x80 ? 2 : 2 + ((bytes[1] ?? 0) & 0x7f)
  const content = bytes.subarray(header)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return [
    ['a longer form of its length', Buffer.concat([Buffer.of(SEQUENCE, 0x84), length, content])],
    ['an indefinite length', Buffer.concat([Buffer.of(SEQUENCE, 0x80), content, Buffer.of(0, 0)])],
    ['a second structure behind', Buffer.concat([bytes, Buffer.of(0x05, 0x00)])],
    ...signatureChanges(content),
  ]
}

function signatureChanges(content: Buffer): [string, Buffer][] {
  const numbers = readIntegers(content)
  if (!numbers) return []
  const [r, s] = numbers
  const write = (...values: Buffer[]): Buffer => sequence(Buffer.concat(values))
  const [left, right] = [integer(r), integer(s)]
  return [
    ['the other signature with the same r', write(left, integer(ORDER - s))],
    ['r and s swapped', write(right, left)],
    ['an s of zero', write(left, integer(0n))],
    ['an r with a zero before', write(tagged(INTEGER, Buffer.concat([Buffer.of(0), left.subarray(2)])), right)],
    ['a third number', write(left, right, integer(1n))],
    ['an s above the order', write(left, integer(s + ORDER))],
    ['bare r and s', Buffer.from(hexOf(r, 64) + hexOf(s, 64), 'hex')],
  ]
}

function readIntegers(content: Buffer): [bigint, bigint] | undefined {
  const first = content[1] ?? 0
  if (
    content[0] !== INTEGER ||
    content[2 + first] !== INTEGER ||
    content.length !== 4 + first + (content[3 + first] ?? 0)
  )
    return undefined
  const read = (bytes: Buffer): bigint => BigInt(`0x0${bytes.toString('hex')}`)
  const [r, s] = [read(content.subarray(2, 2 + first)), read(content.subarray(4 + first))]
  return r < ORDER && s < ORDER && s > 0n ? [r, s] : undefined
}

function integer(value: bigint): Buffer {
  const hex = value.toString(16)
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
  return tagged(INTEGER, (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]))
}

function sequence(content: Buffer): Buffer {
  return tagged(SEQUENCE, content)
}

/** Short lengths only. */
function tagged(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag, content.length), content])
}

function hexOf(value: bigint, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

/** A log entry's body, or a statement: the same JSON in another spelling, and with another field. */
function jsonChanges(bytes: Buffer): [string, Buffer][] {
  if (bytes[0] !== 0x7b) return []
  const text = bytes.toString()
  return [
    ['JSON with a space', Buffer.from(`${text} `)],
    ['JSON with another field', Buffer.from(text.replace('{', '{"extra":1,'))],
    ['JSON with a line for each field', Buffer.from(text.replaceAll(',"', ',\n"'))],
    ['JSON with text behind', Buffer.from(`${text}{}`)],
    ['an empty object of JSON', Buffer.from('{}')],
  ]
}
