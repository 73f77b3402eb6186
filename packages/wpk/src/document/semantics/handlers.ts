import {HANDLER_TYPES} from '../configurations.ts'
import {parseDuration} from '../duration.ts'
import type {Finding} from '../finding.ts'
import {suggestName} from '../../suggestion.ts'
import {finding, meant, placedHandlers} from './rule.ts'
import type {PlacedHandler, SemanticRule} from './rule.ts'

/** Logs, rollback and retries name handlers, so a name may stand once only. */
export const checkHandlerNames: SemanticRule = (wpk) => {
  const seen = new Map<string, string>()
  return placedHandlers(wpk).flatMap(({handler, path}) => {
    const first = seen.get(handler.name)
    if (first === undefined) seen.set(handler.name, path)
    if (first === undefined) return []
    return [
      finding('error', 'handler_name_duplicate', `${path}.name`, `${handler.name} is already the name of ${first}`),
    ]
  })
}

export const checkHandlerTypes: SemanticRule = (wpk) =>
  placedHandlers(wpk).flatMap(({handler, path}) => {
    if ((HANDLER_TYPES as readonly string[]).includes(handler.type)) return []
    const message = `Unknown handler type: ${handler.type} (known: ${HANDLER_TYPES.join(', ')})`
    const suggestion = meant(TYPE_ALIASES[handler.type.toLowerCase()] ?? suggestName(handler.type, HANDLER_TYPES))
    return [finding('error', 'handler_type_unknown', `${path}.type`, message, suggestion)]
  })

const TYPE_ALIASES: Record<string, string> = {
  kubernetes: 'k8s',
  kube: 'k8s',
  kubectl: 'k8s',
  bash: 'shell',
  sh: 'shell',
  command: 'shell',
  http: 'api',
  https: 'api',
  webhook: 'api',
  rest: 'api',
  container: 'docker',
}

export const checkHandlerTimes: SemanticRule = (wpk) => placedHandlers(wpk).flatMap(timeFindings)

function timeFindings({handler, path}: PlacedHandler): Finding[] {
  const findings: Finding[] = []
  const timeout = milliseconds(handler.timeout)
  if (timeout === 0)
    findings.push(finding('error', 'timeout_zero', `${path}.timeout`, 'A timeout of 0 lets nothing run'))
  const inner = milliseconds(handler.config['timeout'])
  if (timeout !== undefined && inner !== undefined && inner > timeout) {
    const message = `config.timeout ${String(handler.config['timeout'])} is never reached: the handler stops after ${handler.timeout}`
    findings.push(finding('warning', 'timeout_unreachable', `${path}.config.timeout`, message))
  }
  if (handler.retry?.max_attempts === 1 && handler.retry.backoff !== undefined) {
    const message = 'With one attempt in all the backoff is never used'
    findings.push(finding('info', 'retry_unreachable', `${path}.retry.backoff`, message))
  }
  return findings
}

function milliseconds(value: unknown): number | undefined {
  return typeof value === 'string' ? parseDuration(value) : undefined
}

/** The older dialect is scanned for security but runs nowhere (atom-protocol.md 8.5). */
export const checkSteps: SemanticRule = (wpk) =>
  placedHandlers(wpk)
    .filter(({handler}) => handler.steps !== undefined)
    .map(({path}) => finding('warning', 'steps_ignored', `${path}.steps`, 'steps are never run: use type and config'))

export const checkUrls: SemanticRule = (wpk) =>
  placedHandlers(wpk).flatMap(({handler, path}) => {
    const url = handler.config['url']
    if (handler.type !== 'api' || typeof url !== 'string' || url.includes('${') || isHttpUrl(url)) return []
    return [finding('error', 'url_invalid', `${path}.config.url`, `${JSON.stringify(url)} is not an http or https URL`)]
  })

function isHttpUrl(url: string): boolean {
  return /^https?:\/\//i.test(url) && URL.canParse(url)
}
