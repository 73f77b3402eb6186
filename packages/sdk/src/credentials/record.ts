import * as z from 'zod'

const word = z.string().min(1).max(2000)
const secret = z.string().min(1).max(100_000)

/** How a token is replaced when it runs out; nothing in here is a secret. */
export const renewal = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('oidc'),
    tokenEndpoint: word,
    revocationEndpoint: word.optional(),
    clientId: word,
    uses: z.enum(['access', 'id']),
  }),
  z.strictObject({kind: z.literal('vault'), address: word, namespace: word.optional(), identityRole: word}),
])
export type Renewal = z.infer<typeof renewal>

/** The secret half: what goes to the service, and what buys the next one. */
export const secrets = z.strictObject({token: secret, refresh: secret.optional()})
export type Secrets = z.infer<typeof secrets>

/** One login as credentials.json holds it; `secrets` is absent when the keychain has them. Times in ms since the epoch. */
export const credential = z.strictObject({
  id: z.string().regex(/^[0-9a-f-]{36}$/),
  context: word.nullable(),
  /** The only origins the token may be sent to. */
  origins: z.array(word).min(1).max(2),
  method: z.enum(['token', 'oidc', 'vault', 'ci']),
  issuer: word.optional(),
  subject: word.optional(),
  obtainedAt: z.number(),
  expiresAt: z.number().optional(),
  store: z.enum(['keychain', 'file']),
  renewal: renewal.optional(),
  secrets: secrets.optional(),
})
export type Credential = z.infer<typeof credential>

export const credentialFile = z.strictObject({version: z.literal(1), credentials: z.array(credential).max(1000)})
