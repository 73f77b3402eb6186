import {AtomError} from '@atomctl/sdk/errors'
import semver from 'semver'
import type {ApprovedPlugin} from './ledger.ts'
import {signerId} from './signer.ts'
import type {TrustList} from './trust-list.ts'
import {covers, type TrustRule} from './trust-schema.ts'

/** What is known of a plugin when a list judges it. */
export type Candidate = Pick<ApprovedPlugin, 'name' | 'version' | 'type' | 'root' | 'integrity' | 'signers' | 'spec'>

/**
 * Whether every list allows the plugin; in a list one rule that does is enough.
 * @throws PLUGIN_UNTRUSTED naming the list and what it asks for
 */
export async function assertTrusted(candidate: Candidate, lists: readonly TrustList[]): Promise<void> {
  for (const list of lists) {
    const reasons: string[] = []
    for (const rule of rulesFor(candidate.name, list)) {
      const reason = await findObjection(candidate, rule, list.own)
      if (reason === undefined) reasons.length = 0
      if (reason === undefined) break
      reasons.push(reason)
    }
    const named = rulesFor(candidate.name, list).length > 0
    if (!named) throw refusal(candidate, list, 'it does not name it')
    if (reasons[0] !== undefined) throw refusal(candidate, list, reasons[0])
  }
}

/** The rules of a list for a package, the most exact first. */
export function rulesFor(name: string, {rules}: TrustList): TrustRule[] {
  return rules.filter((rule) => covers(rule.name, name)).toSorted((a, b) => b.name.length - a.name.length)
}

/** npm lifecycle scripts run only where every list has a rule for the plugin that says so. */
export function allowsScripts(name: string, lists: readonly TrustList[]): boolean {
  return lists.every((list) => rulesFor(name, list).some(({scripts}) => scripts === true))
}

async function findObjection(plugin: Candidate, rule: TrustRule, own: boolean): Promise<string | undefined> {
  if (plugin.type === 'link') return findLinkObjection(plugin, rule, own)
  const {versions, integrity, signer} = rule
  if (versions !== undefined && !semver.satisfies(plugin.version, versions)) return `it wants the version ${versions}`
  if (integrity && !integrity.includes(plugin.integrity ?? '')) {
    return `it wants the tarball ${integrity.join(' or ')}, this one is ${plugin.integrity ?? 'unknown'}`
  }
  if (signer && !plugin.signers.includes(await signerId(signer))) {
    return `it wants a signature by ${'key' in signer ? signer.key : signer.identity}`
  }
  return rule.link === undefined || rule.link === false || versions || integrity || signer
    ? undefined
    : 'it allows only a linked directory'
}

/** A linked directory changes under the hand of its author: the user's own list must name exactly this one. */
function findLinkObjection({root}: Candidate, {link}: TrustRule, own: boolean): string | undefined {
  if (link === root || (link === true && !own)) return undefined
  return 'it does not allow to link this directory'
}

function refusal({name, version, type, root, spec = name}: Candidate, {file, own}: TrustList, why: string): AtomError {
  const cure = type === 'link' ? `atomctl plugins link ${root} --trust` : `atomctl plugins install ${spec} --trust`
  return new AtomError('PLUGIN_UNTRUSTED', `${file} does not allow the plugin ${name} ${version}: ${why}`, {
    hint: own ? `${cure}   # if you want to run its code` : `ask whoever keeps ${file}`,
  })
}
