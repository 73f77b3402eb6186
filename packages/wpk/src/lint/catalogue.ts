import type {Finding, Level} from '../document/finding.ts'

interface RuleEntry {
  level: Level
  cwe: string
  /** What to do instead. */
  advice: string
}

/** Points per level (atom-protocol.md 8.1); a low finding informs and scores nothing. */
export const POINTS: Record<Level, number> = {critical: 25, high: 15, medium: 10, low: 0}

/**
 * The rules of atom-protocol.md 8.1 under their ids, then three that close gaps of 8.5 under ids of their own.
 */
export const LINT_RULES = {
  privileged_container: {level: 'critical', cwe: 'CWE-250', advice: 'run without privileged'},
  dangerous_capabilities: {level: 'critical', cwe: 'CWE-250', advice: 'drop the capability'},
  host_path_mount: {
    level: 'critical',
    cwe: 'CWE-22',
    advice: 'mount a volume claim, a ConfigMap or an emptyDir instead',
  },
  cluster_permissions: {level: 'high', cwe: 'CWE-269', advice: 'use a Role and RoleBinding in one namespace'},
  external_network: {level: 'high', cwe: 'CWE-918', advice: 'call an internal service, or say why in x-atom-ignore'},
  hardcoded_secrets: {level: 'high', cwe: 'CWE-798', advice: 'use a placeholder such as ${TOKEN}'},
  missing_limits: {level: 'medium', cwe: 'CWE-400', advice: 'set resources.limits.cpu and resources.limits.memory'},
  excessive_resources: {level: 'medium', cwe: 'CWE-400', advice: 'stay within 4 CPUs and 8Gi of memory'},
  insecure_image: {level: 'medium', cwe: 'CWE-829', advice: 'pin the image by version or digest'},
  destructive_command: {level: 'critical', cwe: 'CWE-78', advice: 'name the exact files of the workflow'},
  remote_script: {level: 'critical', cwe: 'CWE-494', advice: 'put the script into the package, so that it is signed'},
  excessive_replicas: {level: 'medium', cwe: 'CWE-400', advice: 'stay within 50 replicas'},
} as const satisfies Record<string, RuleEntry>

export type LintRule = keyof typeof LINT_RULES

/** A finding of one rule; its severity for the document is settled once the score is known. */
export function issue(rule: LintRule, path: string, message: string, level: Level = LINT_RULES[rule].level): Finding {
  const {cwe, advice} = LINT_RULES[rule]
  return {rule, severity: 'warning', message, path, suggestion: advice, cwe, level, points: POINTS[level]}
}
