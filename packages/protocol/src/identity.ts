import * as z from 'zod'

/** `GET /whoami`, announced as the capability `whoami`: whose token the request carries. */
export const tokenIdentity = z.looseObject({name: z.string(), role: z.string()})
export type TokenIdentity = z.infer<typeof tokenIdentity>
