import {randomUUID} from 'node:crypto'
import type {AtomContext} from '@atomctl/sdk/context'
import {CredentialStore, type Login} from '@atomctl/sdk/credentials'
import {AtomError, isAtomError} from '@atomctl/sdk/errors'
import type {Obtained} from './obtain.ts'
import {type LoginTarget, originsOf} from './target.ts'

/** A target and what it says about the token. */
interface Verdict {
  readonly target: LoginTarget
  readonly accepted: boolean
  readonly name?: string | undefined
  readonly error?: AtomError
}

/**
 * Shows the token to the services it is for, and keeps it for those that do not refuse it.
 * @throws LOGIN_FAILED, NOT_AUTHENTICATED when all refuse, OUTPUT_FAILED, CREDENTIALS_INVALID
 */
export async function keepLogin(
  {method, issuer, grant, renewal}: Obtained,
  targets: readonly LoginTarget[],
  atom: AtomContext,
  warn: (line: string) => void,
): Promise<Login> {
  const {token, refresh, expiresAt} = grant
  if (expiresAt !== undefined && expiresAt <= Date.now()) {
    throw new AtomError('LOGIN_FAILED', `the token expired at ${new Date(expiresAt).toISOString()}`, {
      hint: 'get a fresh one; if it is fresh, put the clock of this machine right',
    })
  }
  const verdicts = await Promise.all(targets.map((target) => judge(target, token, atom)))
  const accepted = chooseAccepted(verdicts, warn)
  const subject = grant.subject ?? verdicts.find(({name}) => name !== undefined)?.name
  return new CredentialStore(atom.environment).save(
    {
      id: randomUUID(),
      context: atom.configuration.contextName ?? null,
      origins: originsOf(accepted),
      method,
      obtainedAt: Date.now(),
      ...(issuer === undefined ? {} : {issuer: issuer.slice(0, 2000)}),
      ...(subject ? {subject} : {}),
      ...(expiresAt === undefined ? {} : {expiresAt}),
      // without a refresh token it cannot be renewed, but still be revoked
      ...(renewal === undefined ? {} : {renewal}),
    },
    {token, ...(refresh === undefined ? {} : {refresh})},
  )
}

async function judge(target: LoginTarget, token: string, atom: AtomContext): Promise<Verdict> {
  try {
    const identity = await atom.identify(target.service, token)
    return {target, accepted: true, name: identity?.name}
  } catch (error) {
    if (!isAtomError(error) || error.code === 'INTERRUPTED' || error.code === 'TERMINATED') throw error
    return {target, accepted: error.code !== 'NOT_AUTHENTICATED', error}
  }
}

function chooseAccepted(verdicts: readonly Verdict[], warn: (line: string) => void): LoginTarget[] {
  const accepted = verdicts.filter((verdict) => verdict.accepted)
  const refusal = verdicts.find((verdict) => !verdict.accepted)
  if (accepted.length === 0 && refusal?.error) {
    throw new AtomError(
      'NOT_AUTHENTICATED',
      `the ${refusal.target.service} does not know this token; nothing was kept`,
      {
        hint: 'check that the token is for this service and still valid',
        cause: refusal.error,
      },
    )
  }
  for (const {target, error, accepted: isKept} of verdicts) {
    if (error && isKept) warn(`the ${target.service} could not be asked about the token: ${error.message}`)
    else if (error) warn(`the ${target.service} does not know this token, which is not kept for it`)
  }
  return accepted.map(({target}) => target)
}
