import type {Json, JsonObject} from '@atomctl/wpk/canonical'
import {lint} from '@atomctl/wpk/lint'
import type {LintReport} from '@atomctl/wpk/lint'

/** A document with these handlers, of any shape. */
export function documentWith(handlers: Json, mode: Json = 'manual'): JsonObject {
  return {metadata: {name: 'x'}, spec: {safety: {mode}, handlers}}
}

export function lintHandler(handler: Json, mode?: Json): LintReport {
  return lint(documentWith([handler], mode))
}

export function lintStep(step: Json): LintReport {
  return lintHandler({name: 'a', steps: [step]})
}

export function lintCommand(command: string, mode?: Json): LintReport {
  return lintHandler({name: 'a', type: 'shell', config: {command}}, mode)
}

/** `rule path` of each finding that scores. */
export function scored({findings}: LintReport): string[] {
  return findings.filter(({points = 0}) => points > 0).map(({rule, path}) => `${rule} ${path}`)
}

export function rules({findings}: LintReport): string[] {
  return findings.filter(({points = 0}) => points > 0).map(({rule}) => rule)
}

/** A container that gives no rule a reason. */
export const SOUND = {image: 'registry.local:5000/app:1.2.3', resources: {limits: {cpu: '1', memory: '1Gi'}}}

/** A Deployment with this pod spec, as a k8s handler applies it. */
export function applying(pod: Json, more: JsonObject = {}): Json {
  const manifest = {apiVersion: 'apps/v1', kind: 'Deployment', spec: {template: {spec: pod}}, ...more}
  return {name: 'a', type: 'k8s', config: {action: 'apply', manifest}}
}
