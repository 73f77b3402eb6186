import type {SignedEntity} from '@sigstore/verify'
import {decodeBase64} from '../../signing/pem.ts'
import {tampered} from '../content.ts'

type Entry = SignedEntity['tlogEntries'][number]

/**
 * A signed note (C2SP signed-note) that is a checkpoint (C2SP tlog-checkpoint): lines of text, an empty one, and lines of
 * signatures up to the very end. sigstore-js looks for signatures anywhere behind the first empty line.
 */
const NOTE = /^((?:[^\n]+\n){3,})\n((?:\u2014 [^\s+]+ [A-Za-z0-9+/=]+\n)+)$/

interface Checkpoint {
  /** The log's name. */
  readonly origin: string
  readonly size: string
  readonly rootHash: string
  readonly signers: readonly NoteSigner[]
}

interface NoteSigner {
  readonly name: string
  /** Hex of the first bytes of the digest of name and key. */
  readonly keyId: string
}

/**
 * Checks that an entry states of its inclusion what the signed checkpoint does; sigstore-js reads only the latter.
 * Throws WPK_TAMPERED.
 */
export function checkProof({inclusionProof: proof, logIndex, logId, kindVersion}: Entry): void {
  if (!proof?.checkpoint) return
  const checkpoint = readCheckpoint(proof.checkpoint.envelope)
  const {size, rootHash, signers} = checkpoint
  if (rootHash !== proof.rootHash.toString('base64')) {
    throw tampered('the inclusion proof states another root than its checkpoint')
  }
  if (size !== proof.treeSize) throw tampered('the inclusion proof states another tree size than its checkpoint')
  if (new Set(signers.map(({name, keyId}) => `${name} ${keyId}`)).size < signers.length) {
    throw tampered('the checkpoint is signed twice by one signer')
  }
  if (!isRekorV2(kindVersion)) return checkOnlySigner(checkpoint)
  if (logIndex !== proof.logIndex) throw tampered('the log entry states another index than its inclusion proof')
  checkLogName(checkpoint, logId?.keyId ?? Buffer.alloc(0))
}

/** Rekor v1 has no witnesses: whoever else signed its checkpoint is not known to it. */
function checkOnlySigner({signers}: Checkpoint): void {
  if (signers.length > 1) throw tampered("the checkpoint of a Rekor v1 has another signature beside the log's")
}

/** Rekor v2 signs by the name that its checkpoints begin with. Other signers are witnesses. */
function checkLogName({origin, signers}: Checkpoint, logId: Buffer): void {
  const keyId = logId.subarray(0, 4).toString('hex')
  const isNamed = signers.every((signer) => signer.keyId !== keyId || signer.name === origin)
  if (!isNamed) throw tampered('the checkpoint is signed by another name than the log that it is of')
}

function readCheckpoint(envelope: string): Checkpoint {
  const [, body = '', signatures] = NOTE.exec(envelope) ?? []
  if (signatures === undefined) throw tampered('the checkpoint is not a signed note')
  const [origin = '', size = '', rootHash = ''] = body.split('\n')
  return {origin, size, rootHash, signers: signatures.trimEnd().split('\n').map(signerOf)}
}

function signerOf(line: string): NoteSigner {
  const [, name = '', signature = ''] = line.split(' ')
  const bytes = decodeBase64(signature)
  if (!bytes) throw tampered('the checkpoint has a signature that is not base64')
  return {name, keyId: bytes.subarray(0, 4).toString('hex')}
}

/** The kinds that Rekor v2 writes. `intoto` 0.0.2 is one of Rekor v1. */
function isRekorV2(kindVersion: Entry['kindVersion']): boolean {
  return kindVersion?.version === '0.0.2' && kindVersion.kind !== 'intoto'
}
