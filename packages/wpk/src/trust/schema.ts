import * as z from 'zod'
import {LEVEL_NAMES} from './levels.ts'

export const POLICY_API_VERSION = 'atomctl.dev/trust-policy/v1'
export const POLICY_KIND = 'TrustPolicy'

const level = z.enum(LEVEL_NAMES)
const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits and . _ - (63 at most)')
const file = z.string().min(1)
const patterns = z.array(z.string().min(1)).min(1)

const keyless = z.strictObject({
  trustRoot: name,
  issuer: z.string().min(1),
  /** Literal but for `*`, which stands for one run of characters other than `/` and `@`. */
  identity: z.string().min(1),
  require: z
    .strictObject({
      tlog: z.int().min(0).optional(),
      timestamps: z.int().min(1, 'a certificate needs at least one timestamp').optional(),
      sct: z.int().min(0).optional(),
    })
    .optional(),
})

const signers = z.array(z.union([z.strictObject({keys: z.array(name).min(1)}), z.strictObject({keyless})]))

const rule = z.strictObject({
  name,
  scope: z.strictObject({registries: patterns.default(['*']), packages: patterns.default(['*'])}).prefault({}),
  level: level.default('strict'),
  threshold: z.int().min(1).default(1),
  signers: signers.default([]),
  bindRegistry: z.boolean().default(false),
  /** The signer must state which commit the package was built from, with nothing changed since. */
  requireProvenance: z.boolean().optional(),
})

const key = z.strictObject({
  file,
  notAfter: z.iso.datetime({offset: true, error: 'must be a time such as "2026-06-30T00:00:00Z"'}).optional(),
  revoked: z.boolean().default(false),
})

/** The trust policy file. Every default is the strict choice. */
export const policySchema = z.strictObject({
  apiVersion: z.literal(POLICY_API_VERSION).optional(),
  kind: z.literal(POLICY_KIND).optional(),
  default: z.strictObject({level: level.default('strict')}).prefault({}),
  trustRoots: z.record(name, z.strictObject({file})).default({}),
  keys: z.record(name, key).default({}),
  rules: z.array(rule).default([]),
})

export type PolicyFile = z.output<typeof policySchema>
export type TrustRule = z.output<typeof rule>
export type KeylessRule = z.output<typeof keyless>
