import {dirname, resolve} from 'node:path'
import type {Finding} from '../../document/index.ts'
import {hintOf, parsePublicKey} from '../../signing/public-key.ts'
import {checkVerifiable} from '../../signing/verify.ts'
import type {ParsedPolicy} from '../parse.ts'
import {readSmallFile} from '../policy.ts'
import {findingAt} from './finding.ts'

/** Keys and trusted roots that cannot be read, keys under two names, and keys that vouch for nothing any more. */
export async function checkKeys(parsed: ParsedPolicy, now: Date): Promise<Finding[]> {
  const {keys, trustRoots} = parsed.policy
  const findings: Finding[] = []
  const known = new Map<string, string>()
  for (const [name, {file, notAfter, revoked}] of Object.entries(keys)) {
    const hint = await readKey(parsed, name, file, findings)
    const twin = hint === undefined ? undefined : known.get(hint)
    if (twin !== undefined) findings.push(keyFinding(parsed, name, 'error', `is the same key as ${twin}`))
    if (hint !== undefined) known.set(hint, name)
    if (revoked) findings.push(keyFinding(parsed, name, 'warning', 'is revoked'))
    else if (notAfter !== undefined) findings.push(...checkDate(parsed, name, new Date(notAfter), now))
  }
  for (const [name, {file}] of Object.entries(trustRoots)) findings.push(...(await checkRoot(parsed, name, file)))
  return findings
}

async function readKey(
  parsed: ParsedPolicy,
  name: string,
  file: string,
  findings: Finding[],
): Promise<string | undefined> {
  const path = resolve(dirname(parsed.source), file)
  try {
    const pem = (await readSmallFile(path, parsed.source)).toString('utf8')
    return hintOf(checkVerifiable(parsePublicKey(pem)))
  } catch (error) {
    findings.push(keyFinding(parsed, name, 'error', `cannot be used: ${(error as Error).message}`, '.file'))
    return undefined
  }
}

async function checkRoot(parsed: ParsedPolicy, name: string, file: string): Promise<Finding[]> {
  const path = resolve(dirname(parsed.source), file)
  const {parseTrustRoot} = await import('../keyless/index.ts')
  try {
    parseTrustRoot(await readSmallFile(path, parsed.source), path)
    return []
  } catch (error) {
    const message = `trust root ${name} cannot be used: ${(error as Error).message}`
    return [findingAt(parsed, `trustRoots.${name}.file`, {rule: 'policy_key', severity: 'error', message})]
  }
}

const SOON_MS = 30 * 24 * 60 * 60 * 1000

function checkDate(parsed: ParsedPolicy, name: string, notAfter: Date, now: Date): Finding[] {
  const left = notAfter.getTime() - now.getTime()
  if (left > SOON_MS) return []
  const when = notAfter.toISOString()
  const message = left < 0 ? `expired at ${when}` : `expires at ${when}`
  return [keyFinding(parsed, name, 'warning', message, '.notAfter')]
}

function keyFinding(
  parsed: ParsedPolicy,
  name: string,
  severity: Finding['severity'],
  message: string,
  field = '',
): Finding {
  return findingAt(parsed, `keys.${name}${field}`, {rule: 'policy_key', severity, message: `key ${name} ${message}`})
}
