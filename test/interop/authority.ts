import {type KeyObject, webcrypto} from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import {IDENTITY, ISSUER} from './sigstore/index.ts'

const ALGORITHM = {name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256'} as const
const CODE_SIGNING = '1.3.6.1.5.5.7.3.3'
const FULCIO_ISSUER = '1.3.6.1.4.1.57264.1.8'
const HOUR = 3_600_000

/** What a certificate of the loopback authority may have that Fulcio's never do. */
export interface LeafOptions {
  readonly isAuthority?: boolean
  /** Extended key usage; none when empty. */
  readonly usages?: readonly string[]
}

/** A certificate authority that certifies whatever it is asked to. */
export interface Authority {
  readonly root: Buffer
  certify(publicKey: KeyObject, options?: LeafOptions): Promise<Buffer>
}

export async function createAuthority(): Promise<Authority> {
  x509.cryptoProvider.set(webcrypto as never)
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const validity = {notBefore: new Date(Date.now() - HOUR), notAfter: new Date(Date.now() + HOUR)}
  const name = 'CN=strange authority,O=loopback'
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys: keys as never,
    signingAlgorithm: ALGORITHM,
    ...validity,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ],
  })
  return {
    root: Buffer.from(root.rawData),
    async certify(publicKey, {isAuthority = false, usages = [CODE_SIGNING]} = {}) {
      const spki = publicKey.export({type: 'spki', format: 'der'})
      const leaf = await x509.X509CertificateGenerator.create({
        subject: isAuthority ? 'CN=intermediate' : '',
        issuer: name,
        publicKey: (await webcrypto.subtle.importKey('spki', spki, ALGORITHM, true, ['verify'])) as never,
        signingKey: keys.privateKey as never,
        signingAlgorithm: ALGORITHM,
        ...validity,
        extensions: [
          new x509.BasicConstraintsExtension(isAuthority, undefined, true),
          new x509.SubjectAlternativeNameExtension([{type: 'url', value: IDENTITY}], true),
          new x509.Extension(FULCIO_ISSUER, false, Buffer.from([0x0c, ISSUER.length, ...Buffer.from(ISSUER)])),
          ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension([...usages])] : []),
        ],
      })
      return Buffer.from(leaf.rawData)
    },
  }
}
