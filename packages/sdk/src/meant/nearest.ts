import {parseWorkflowId} from '../packages/reference.ts'
import {compareVersions} from '../registry/versions.ts'
import {suggestName} from '../suggest.ts'

/** A beginning as short as that is no beginning of anything. */
const SHORTEST_PREFIX = 4

/**
 * The workflow that a mistyped ID means: of the same name, or of one that is spelt almost so, the version that was asked
 * for, else the newest. What is no workflow ID is not offered, whoever lists it.
 */
export function nearestWorkflow(typed: string, ids: readonly string[]): string | undefined {
  const known = ids.flatMap((id) => {
    const parsed = parseWorkflowId(id)
    return parsed ? [{id, ...parsed}] : []
  })
  const wanted = parseWorkflowId(typed) ?? {name: typed, version: undefined}
  const names = new Set(known.map(({name}) => name))
  const name = names.has(wanted.name) ? wanted.name : suggestName(wanted.name, names)
  const versions = known.filter((one) => one.name === name)
  const newest = versions.toSorted((a, b) => compareVersions(b.version, a.version))[0]
  return (versions.find(({version}) => version === wanted.version) ?? newest)?.id
}

/** The only execution whose ID begins like this, else one that differs in a few characters. */
export function nearestExecution(typed: string, ids: readonly string[]): string | undefined {
  const safe = ids.filter((id) => /^[\w-]{1,64}$/.test(id))
  const begun = typed.length >= SHORTEST_PREFIX ? safe.filter((id) => id.startsWith(typed.toLowerCase())) : []
  return begun.length === 1 ? begun[0] : suggestName(typed, safe)
}
