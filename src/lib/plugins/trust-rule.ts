import {AtomError} from '@atomctl/sdk/errors'
import {trustFile, TRUST_API_VERSION, type TrustedSigner, type TrustRule} from './trust-schema.ts'

export interface RuleOptions {
  readonly versions?: string | undefined
  readonly integrity?: string[] | undefined
  readonly key?: string | undefined
  readonly identity?: string | undefined
  readonly issuer?: string | undefined
  readonly trustedRoot?: string | undefined
  readonly scripts?: boolean | undefined
}

/** A rule out of the command line's flags. @throws USAGE */
export function ruleOf(name: string, options: RuleOptions): TrustRule {
  const {versions, integrity, scripts} = options
  const signer = signerOf(options)
  const rule = {
    name,
    ...(versions === undefined ? {} : {versions}),
    ...(integrity === undefined ? {} : {integrity}),
    ...(signer === undefined ? {} : {signer}),
    ...(scripts ? {scripts} : {}),
  }
  const issue = trustFile.safeParse({apiVersion: TRUST_API_VERSION, plugins: [rule]}).error?.issues[0]
  if (issue)
    throw new AtomError('USAGE', `${issue.path.slice(2).join('.')}: ${issue.message}`, {
      hint: 'atomctl plugins trust --help',
    })
  return rule
}

function signerOf({key, identity, issuer, trustedRoot}: RuleOptions): TrustedSigner | undefined {
  if (key !== undefined) return {key}
  if (identity === undefined || issuer === undefined || trustedRoot === undefined) return undefined
  return {identity, issuer, trusted_root: trustedRoot}
}
