import type {Finding} from '../finding.ts'
import type {Wpk} from '../schema.ts'
import {checkContainers} from './docker.ts'
import {checkHandlerNames, checkHandlerTimes, checkHandlerTypes, checkSteps, checkUrls} from './handlers.ts'
import {checkKubernetes} from './kubernetes.ts'
import {checkParameterDeclarations, checkPlaceholders} from './parameters.ts'
import type {SemanticRule} from './rule.ts'
import {checkSecretPlaces, checkSecretSources} from './secrets.ts'
import {checkRollback, checkSafety, checkSuppressions, checkUndoes} from './safety.ts'
import {checkAlerts, checkMetadata, checkPermissions, checkTriggers} from './surroundings.ts'

const RULES: readonly SemanticRule[] = [
  checkMetadata,
  checkSafety,
  checkTriggers,
  checkParameterDeclarations,
  checkPlaceholders,
  checkSecretSources,
  checkSecretPlaces,
  checkHandlerNames,
  checkHandlerTypes,
  checkHandlerTimes,
  checkKubernetes,
  checkContainers,
  checkUrls,
  checkSteps,
  checkRollback,
  checkUndoes,
  checkSuppressions,
  checkPermissions,
  checkAlerts,
]

/** Everything beyond the shape (spec: WPK format, "Schema"), on a document whose shape is sound. */
export function checkSemantics(wpk: Wpk): Finding[] {
  return RULES.flatMap((rule) => rule(wpk))
}
