/** Payload type of every in-toto attestation (in-toto attestation spec v1, "envelope"). */
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json'

/** What a DSSE signature covers: the pre-authentication encoding of the payload (DSSE v1, protocol.md). */
export function encodeEnvelope(payloadType: string, payload: Uint8Array): Buffer {
  const type = Buffer.from(payloadType)
  const head = `DSSEv1 ${type.length} ${payloadType} ${payload.length} `
  return Buffer.concat([Buffer.from(head), payload])
}
