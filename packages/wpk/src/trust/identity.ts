import type {Claims} from '../signing/certificate.ts'

/**
 * Whether a certificate's identity and issuer are the ones a rule names. The issuer is compared as it is; in the
 * identity `*` stands for one run of characters other than `/` and `@`, everything else for itself. Always the whole
 * text: a rule for `…/release.yml@refs/tags/*` is none for `…/release.yml@refs/tags/x/../../heads/main`.
 */
export function matchesIdentity(wanted: Claims, {identity, issuer}: Claims): boolean {
  return wanted.issuer === issuer && identityPattern(wanted.identity).test(identity)
}

function identityPattern(identity: string): RegExp {
  const literals = identity.split('*').map((literal) => literal.replace(/[\\^$.+?()[\]{}|]/g, '\\$&'))
  return new RegExp(`^${literals.join('[^/@\\s]*')}$`, 'u')
}
