import type {VerifiedDocument} from '@atomctl/wpk/trust'
import {AtomError} from '../errors.ts'

/**
 * Refuses anything that `verifyDocument` did not make. The type already says so; this is for callers without types,
 * such as a plugin in plain JavaScript. Throws GATE_NOT_RUN.
 */
export async function assertVerified(candidate: VerifiedDocument): Promise<void> {
  const {isVerified} = await import('@atomctl/wpk/trust')
  if (isVerified(candidate)) return
  throw new AtomError('GATE_NOT_RUN', 'The package was not verified against the trust policy')
}
