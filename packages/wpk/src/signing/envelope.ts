import {parseStrictJson} from './json.ts'
import {malformed} from './malformed.ts'

/** Payload type of every in-toto attestation (in-toto attestation spec v1, "envelope"). */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

/** What a DSSE signature covers: the pre-authentication encoding of the payload (DSSE v1, protocol.md). */
export function encodeEnvelope(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType)
  const head = `DSSEv1 ${type.length} ${payloadType} ${payload.length} `
  return Buffer.concat([Buffer.from(head), payload])
}

/** The JSON of a signed payload. Throws SIGNATURE_MALFORMED. */
export function parsePayload(payload: Uint8Array): unknown {
  try {
    return parseStrictJson(payload)
  } catch (cause) {
    throw malformed('its payload is not JSON with unique keys', cause)
  }
}
