// Just enough of DER (ITU-T X.690) to find an extension in a certificate, or the certificates in a timestamp. Lengths in
// another form than the one DER allows are refused.
import {malformed} from './malformed.ts'

export interface DerNode {
  readonly tag: number
  readonly content: Buffer
  /** Tag and length included. */
  readonly encoded: Buffer
}

export const DER = {
  integer: 0x02,
  octetString: 0x04,
  objectId: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  /** What [0] means depends on where it is. */
  tagged: 0xa0,
  extensions: 0xa3,
} as const

/** The values that lie one behind the other in these bytes. Throws SIGNATURE_MALFORMED. */
export function readDerList(bytes: Buffer): DerNode[] {
  const nodes: DerNode[] = []
  for (let offset = 0; offset < bytes.length;) {
    const {length, start} = readLength(bytes, offset + 1)
    const end = start + length
    if (end > bytes.length) throw malformed('its certificate or timestamp is cut off')
    nodes.push({tag: bytes[offset] ?? 0, content: bytes.subarray(start, end), encoded: bytes.subarray(offset, end)})
    offset = end
  }
  return nodes
}

/** The one value that these bytes are, of this tag. Throws SIGNATURE_MALFORMED. */
export function readDer(bytes: Buffer, tag: number): Buffer {
  const [node, ...others] = readDerList(bytes)
  if (node?.tag !== tag || others.length > 0)
    throw malformed('its certificate or timestamp is not built as its standard says')
  return node.content
}

function readLength(bytes: Buffer, offset: number): {length: number; start: number} {
  const first = bytes[offset]
  if (first === undefined) throw malformed('its certificate or timestamp is cut off')
  if (first < 0x80) return {length: first, start: offset + 1}
  const size = first & 0x7f
  if (size === 0 || size > 4 || offset + size >= bytes.length)
    throw malformed('its certificate or timestamp has a wrong length')
  const length = bytes.readUIntBE(offset + 1, size)
  if (length < 0x80 || bytes[offset + 1] === 0)
    throw malformed('its certificate or timestamp has a length that is not DER')
  return {length, start: offset + 1 + size}
}

/** Content of an OBJECT IDENTIFIER for its dotted text. */
export function encodeObjectId(text: string): Buffer {
  const [first = 0, second = 0, ...others] = text.split('.').map(Number)
  return Buffer.from([first * 40 + second, ...others.flatMap(encodeArc)])
}

function encodeArc(arc: number): number[] {
  const bytes = [arc & 0x7f]
  for (let rest = arc >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}
