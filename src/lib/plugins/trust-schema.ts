import semver from 'semver'
import * as z from 'zod'

export const TRUST_API_VERSION = 'atomctl.dev/plugin-trust/v1'

const NAME = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/
const PATTERN = /^(\*|@[a-z0-9][a-z0-9._-]*\/([a-z0-9][a-z0-9._-]*)?\*|[a-z0-9][a-z0-9._-]*\*)$/

/** sha512 as npm writes it in `dist.integrity` and package-lock.json. */
const integrity = z.string().regex(/^sha512-[A-Za-z0-9+/]{86}==$/, 'not a sha512 integrity as npm writes it')

const signer = z.union([
  z.strictObject({key: z.string().min(1)}),
  z.strictObject({identity: z.string().min(1), issuer: z.string().min(1), trusted_root: z.string().min(1)}),
])

const rule = z
  .strictObject({
    name: z
      .string()
      .refine((text) => NAME.test(text) || PATTERN.test(text), 'neither a package name nor a pattern such as @acme/*'),
    versions: z
      .string()
      .refine((text) => semver.validRange(text) !== null, 'not a version range such as ^1.2')
      .optional(),
    integrity: z.array(integrity).min(1).optional(),
    signer: signer.optional(),
    scripts: z.boolean().optional(),
    link: z.union([z.boolean(), z.string().min(1)]).optional(),
  })
  .refine(({name, signer}) => name !== '*' || signer !== undefined, {path: ['name'], message: '"*" needs a signer'})

/** `plugin-trust.yaml`. Closed: a misspelt key must not be ignored. */
export const trustFile = z.strictObject({
  apiVersion: z.literal(TRUST_API_VERSION),
  plugins: z.array(rule),
})

export type TrustRule = z.infer<typeof rule>
export type TrustedSigner = z.infer<typeof signer>

/** Whether a rule's name, which may end in `*`, covers a package. */
export function covers(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
}
