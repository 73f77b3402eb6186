import {oneLine, type Style, type View} from '@atomctl/sdk/output'
import type {TrustedKeyEntry} from '../trusted-key.ts'

export interface KeyPairResult {
  /** Absent when only the public half was looked at. */
  privateKeyFile?: string
  publicKeyFile: string
  fingerprint: string
  trusted?: TrustedKeyEntry
}

/** The view of a new pair of files; `done` says how it came to be. */
export function keyPairView(done: string): View<KeyPairResult> {
  return {
    kind: 'KeyPair',
    text: (result, style) => describePair(result, done, style),
    names: ({fingerprint}) => [fingerprint],
  }
}

function describePair(
  {privateKeyFile, publicKeyFile, fingerprint, trusted}: KeyPairResult,
  done: string,
  style: Style,
): string {
  return [
    `${style.good('[SUCCESS]')} ${done}`,
    ...(privateKeyFile === undefined ? [] : [`  Private Key: ${oneLine(privateKeyFile)}`]),
    `  Public Key: ${oneLine(publicKeyFile)}`,
    `  Fingerprint: ${fingerprint}`,
    trusted
      ? `  Trusted: YES (as ${trusted.name} in ${oneLine(trusted.policy)})`
      : `  Trusted: NO (trust it: atomctl keys public --key ${oneLine(publicKeyFile)} --trust)`,
  ].join('\n')
}

export interface PublicKeyResult {
  publicKey: string
  fingerprint: string
  trusted?: TrustedKeyEntry
}

/** The PEM alone, so that it can be redirected into a file. */
export const publicKeyView: View<PublicKeyResult> = {
  kind: 'PublicKey',
  text: ({publicKey}) => publicKey.trimEnd(),
  names: ({fingerprint}) => [fingerprint],
}
