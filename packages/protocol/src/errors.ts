import * as z from 'zod'

/**
 * Error bodies (protocol section 1.3): `detail` is a string, or an array of objects on 422; a crash answers
 * text/plain. Our own services add `code` (a catalogue code), `hint` and `findings`.
 */
export const errorBody = z.looseObject({
  detail: z.union([
    z.string(),
    z.array(
      z.looseObject({
        loc: z.array(z.union([z.string(), z.number()])).optional(),
        msg: z.string().optional(),
        type: z.string().optional(),
      }),
    ),
  ]),
  code: z.string().optional(),
  hint: z.string().optional(),
  findings: z.array(z.looseObject({rule: z.string(), message: z.string()})).optional(),
})
export type ErrorBody = z.infer<typeof errorBody>
