import type {Json, JsonObject} from '../canonical.ts'
import type {Mode} from './score.ts'
import {listOf, mappingOf, placeItems, textOf} from './values.ts'

export type Complexity = 'simple' | 'moderate' | 'complex'
export type AutomationLevel = 'manual' | 'semi_automated' | 'fully_automated'

/** What kind of workflow this is (atom-protocol.md 8.2), over handlers and over the steps of the older dialect. */
export interface Classification {
  categories: string[]
  resourceTypes: string[]
  complexity: Complexity
  automationLevel: AutomationLevel
}

const CATEGORIES = ['infrastructure', 'security', 'monitoring']

export function classify(document: JsonObject, mode: Mode): Classification {
  const handlers = placeItems(mappingOf(document['spec'])['handlers'], '').map(({value}) => value)
  const steps = handlers.flatMap((handler) => placeItems(handler['steps'], '').map(({value}) => value))
  const tags = listOf(mappingOf(document['metadata'])['tags'])
  return {
    categories: CATEGORIES.filter((category) => tags.includes(category)),
    resourceTypes: resourceTypesOf(handlers, steps),
    complexity: complexityOf(handlers.filter((handler) => handler['config'] !== undefined).length + steps.length),
    automationLevel: automationOf(document, mode, [...handlers, ...steps]),
  }
}

const RESOURCE_TYPES: Record<string, string> = {k8s: 'kubernetes', docker: 'container', shell: 'shell', api: 'api'}

function resourceTypesOf(handlers: readonly JsonObject[], steps: readonly JsonObject[]): string[] {
  const types = handlers.map((handler) => RESOURCE_TYPES[textOf(handler['type']) ?? ''])
  const keys = steps.flatMap((step) => ['kubernetes', 'container', 'shell'].filter((key) => step[key] !== undefined))
  return [...new Set([...types, ...keys].filter((type): type is string => type !== undefined))].toSorted()
}

function complexityOf(steps: number): Complexity {
  if (steps <= 3) return 'simple'
  return steps <= 10 ? 'moderate' : 'complex'
}

function automationOf(document: JsonObject, mode: Mode, steps: readonly JsonObject[]): AutomationLevel {
  if (mode === 'manual') return 'manual'
  const safety = mappingOf(mappingOf(document['spec'])['safety'])
  const waits = [safety, ...steps].some((step) => step['manual'] === true || step['approval_required'] === true)
  return waits ? 'semi_automated' : 'fully_automated'
}

export function modeOf(document: JsonObject): Mode {
  const mode: Json | undefined = mappingOf(mappingOf(document['spec'])['safety'])['mode']
  return textOf(mode)?.toLowerCase() === 'auto' ? 'auto' : 'manual'
}
