import {generateKeyPairSync, sign} from 'node:crypto'
import {canonicalJson, type Json} from '@atomctl/wpk/canonical'
import {sha256} from './digest.ts'

/** A Rekor v2 of one leaf: every entry is the first of a new tree. The mock's own v2 entries cannot be verified. */
export interface RekorV2 {
  readonly spki: Buffer
  /** Key id of the C2SP signed note, which trusted roots give as the log's id. */
  readonly keyId: Buffer
  log(request: string): object
}

export function createRekorV2(origin: string): RekorV2 {
  const {privateKey, publicKey} = generateKeyPairSync('ed25519')
  const spki = publicKey.export({type: 'spki', format: 'der'})
  const keyId = sha256(`${origin}\n\u0001`, spki.subarray(-32))
  const log = (request: string): object => {
    const leaf = Buffer.from(canonicalJson(entryFor(JSON.parse(request) as Request)))
    const root = sha256(Buffer.from([0]), leaf).toString('base64')
    const note = `${origin}\n1\n${root}\n`
    const signature = Buffer.concat([keyId.subarray(0, 4), sign(null, Buffer.from(note), privateKey)])
    const checkpoint = {envelope: `${note}\n\u2014 ${origin} ${signature.toString('base64')}\n`}
    return {
      logIndex: '0',
      logId: {keyId: keyId.toString('base64')},
      kindVersion: {kind: 'hashedrekord', version: '0.0.2'},
      integratedTime: '0',
      inclusionProof: {logIndex: '0', rootHash: root, treeSize: '1', hashes: [], checkpoint},
      canonicalizedBody: leaf.toString('base64'),
    }
  }
  return {spki, keyId, log}
}

interface Request {
  readonly hashedRekordRequestV002?: {readonly digest: string; readonly signature: {[field: string]: Json}}
  readonly dsseRequestV002?: {
    readonly envelope: {
      readonly payload: string
      readonly payloadType: string
      readonly signatures: readonly {readonly sig: string}[]
    }
    readonly verifiers: readonly Json[]
  }
}

/** As today's Rekor v2 does, a DSSE envelope is recorded as a hashedrekord over its pre-authentication encoding. */
function entryFor({hashedRekordRequestV002: message, dsseRequestV002: dsse}: Request): Json {
  if (message) return hashedRekord(message.digest, message.signature)
  if (!dsse) throw new Error('neither a message nor an envelope')
  const {payloadType, signatures} = dsse.envelope
  const payload = Buffer.from(dsse.envelope.payload, 'base64')
  const digest = sha256(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `, payload)
  return hashedRekord(digest.toString('base64'), {
    content: signatures[0]?.sig ?? '',
    verifier: dsse.verifiers[0] ?? null,
  })
}

function hashedRekord(digest: string, signature: {[field: string]: Json}): Json {
  const data = {algorithm: 'SHA2_256', digest}
  return {apiVersion: '0.0.2', kind: 'hashedrekord', spec: {hashedRekordV002: {data, signature}}}
}
