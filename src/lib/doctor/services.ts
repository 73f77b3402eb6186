import {parseTimestamp} from '@atomctl/protocol/values'
import type {AtomContext} from '@atomctl/sdk/context'
import {isAtomError} from '@atomctl/sdk/errors'
import {type Check, type CheckInput, type CheckResult, fail, ok, warn} from './check.ts'

const CLOCK_TOLERANCE = 60_000
const TRANSIENT: ReadonlySet<string> = new Set(['UNAVAILABLE', 'TIMEOUT'])

/** Whether both services answer, what they are, and whether their clocks agree with this one. */
export const checkServices: Check = async (input) => {
  if (input.atom.configurationError) return []
  const results = await Promise.all([checkService('registry', input), checkService('runtime', input)])
  return results.flat()
}

async function checkService(name: 'registry' | 'runtime', {atom, now}: CheckInput): Promise<CheckResult[]> {
  try {
    const client = await clientOf(name, atom)
    const {status, timestamp} = await client.health()
    const answered = now()
    const announced = await client.discover()
    const what = announced ? `version ${announced.version}` : 'original ATOM Cloud service, no extras'
    return [
      ok(name, `${status}, ${what}`),
      ...checkClock(name, timestamp, answered),
      ...(await checkLogin(name, client)),
    ]
  } catch (error) {
    const transient = isAtomError(error) && TRANSIENT.has(error.code)
    return [{...fail(name, error, fixFor(name)), ...(transient ? {transient, fix: fixFor(name)} : {})}]
  }
}

const REFUSALS: ReadonlySet<string> = new Set(['NOT_AUTHENTICATED', 'DENIED'])

// Health is for everybody; whether the token counts shows in the first thing that is not. Other failures say nothing about it.
async function checkLogin(
  name: string,
  client: {list(query: {limit: number}): Promise<unknown>},
): Promise<CheckResult[]> {
  try {
    await client.list({limit: 1})
  } catch (error) {
    if (isAtomError(error) && REFUSALS.has(error.code)) return [fail(`${name} login`, error, 'atomctl login')]
  }
  return []
}

function clientOf(name: 'registry' | 'runtime', atom: AtomContext) {
  return name === 'registry' ? atom.registry() : atom.runtime()
}

function fixFor(name: string): string {
  return `atomctl dev up   # or: atomctl config set ${name}_url URL`
}

function checkClock(name: string, timestamp: string | undefined, answered: Date): CheckResult[] {
  const theirs = timestamp === undefined ? undefined : parseTimestamp(timestamp)
  if (!theirs) return []
  const skew = Math.round((theirs.getTime() - answered.getTime()) / 1000)
  if (Math.abs(skew) * 1000 <= CLOCK_TOLERANCE) return []
  const direction = skew > 0 ? 'ahead of' : 'behind'
  return [warn('clock', `the ${name} is ${Math.abs(skew)} s ${direction} this machine`, 'set both clocks with NTP')]
}
