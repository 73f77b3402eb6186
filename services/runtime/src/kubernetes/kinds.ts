/** Kinds this runtime knows more about than that kubectl does; every other kind goes by its own name. */
const ALIASES: Readonly<Record<string, readonly string[]>> = {
  deployment: ['deployment', 'deployments', 'deploy'],
  statefulset: ['statefulset', 'statefulsets', 'sts'],
  daemonset: ['daemonset', 'daemonsets', 'ds'],
  replicaset: ['replicaset', 'replicasets', 'rs'],
  replicationcontroller: ['replicationcontroller', 'replicationcontrollers', 'rc'],
  job: ['job', 'jobs'],
  pod: ['pod', 'pods', 'po'],
  node: ['node', 'nodes', 'no'],
}

/** The singular, lower-case name of a kind, its API group left out: `deploy` and `Deployments.apps` are `deployment`. */
export function kindOf(type: string): string {
  const plain = type.split('.')[0]?.toLowerCase() ?? ''
  return Object.entries(ALIASES).find(([, names]) => names.includes(plain))?.[0] ?? plain
}

export const ROLLED_OUT: ReadonlySet<string> = new Set(['deployment', 'statefulset', 'daemonset'])
export const SCALED: ReadonlySet<string> = new Set(['deployment', 'statefulset', 'replicaset', 'replicationcontroller'])

/** Why an action can do nothing with the kind that the config names; a kind from the parameters is checked later. */
export function refuseKind(type: unknown, action: string, kinds: ReadonlySet<string>): string | undefined {
  if (typeof type !== 'string' || type.includes('${') || kinds.has(kindOf(type))) return undefined
  return `${action} works on ${[...kinds].join(', ')}, not on ${type}`
}
