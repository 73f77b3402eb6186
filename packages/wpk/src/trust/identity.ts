import type {Claims} from '../signing/certificate.ts'
import {matchesGlob} from './glob.ts'

/**
 * Whether a certificate's identity and issuer are the ones a rule names. The issuer is compared as it is; in the
 * identity `*` stands for one run of characters other than `/` and `@`, everything else for itself. Always the whole
 * text: a rule for `…/release.yml@refs/tags/*` is none for `…/release.yml@refs/tags/x/../../heads/main`.
 */
export function matchesIdentity(wanted: Claims, {identity, issuer}: Claims): boolean {
  return wanted.issuer === issuer && matchesGlob(wanted.identity, identity, /[/@\s]/)
}
