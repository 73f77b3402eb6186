import {parameterNameOf, placeholdersIn} from '../../parameters/placeholders.ts'
import {isVaultKey, isVaultPath, mentionsVariable, secretFields, secretNamesOf} from '../../parameters/secrets.ts'
import type {Finding} from '../finding.ts'
import {finding, placedHandlers} from './rule.ts'
import type {PlacedHandler, SemanticRule} from './rule.ts'

/** Secrets whose value would reach an argument, an address, a condition or an output, where others can read it. */
export const checkSecretPlaces: SemanticRule = (wpk) => {
  const secrets = secretNamesOf(wpk.spec.parameters)
  return secrets.length === 0 ? [] : placedHandlers(wpk).flatMap((placed) => exposures(placed, secrets))
}

/** Places in Vault that no reader of KV version 2 could be sent to. */
export const checkSecretSources: SemanticRule = ({spec}) =>
  (spec.parameters ?? []).flatMap(({name, vault, sources}, index): Finding[] => {
    const path = `spec.parameters[${index}]`
    const report = (key: string, message: string): Finding =>
      finding('error', 'secret_source', `${path}.${key}`, message)
    if (!vault) return sources?.includes('vault') ? [report('sources', `Nothing says where in Vault ${name} is`)] : []
    const isKnown = isVaultPath(vault.path)
    return [
      ...(isKnown ? [] : [report('vault.path', `${name}: a path of KV version 2 looks like secret/data/db`)]),
      ...(isVaultKey(vault.key) ? [] : [report('vault.key', `${name}: no key inside a secret looks like that`)]),
    ]
  })

function exposures({handler, path}: PlacedHandler, secrets: readonly string[]): Finding[] {
  const {type, config, when, outputs = {}} = handler
  const allowed = secretFields({type, config})
  const closed = Object.entries(config).filter(([key]) => !allowed.includes(key))
  const places = [...closed.map(([key, value]) => [`config.${key}`, value] as const), ['outputs', outputs] as const]
  const named = places.flatMap(([place, value]) => placeholdersIn(value, `${path}.${place}`))
  const conditions = [['when', when] as const, ['config.condition', config['condition']] as const]
  return [
    ...named
      .filter(({name}) => secrets.includes(parameterNameOf(name) ?? ''))
      .map(({name, path: place}) => exposed(place, parameterNameOf(name) ?? name, type, allowed)),
    ...conditions.flatMap(([place, text]) =>
      secrets
        .filter((name) => typeof text === 'string' && readsName(text, name))
        .map((name) => exposed(`${path}.${place}`, name, type, allowed)),
    ),
    ...Object.keys(outputs)
      .filter((name) => secrets.includes(name.toLowerCase()))
      .map((name) => exposed(`${path}.outputs.${name}`, name, type, allowed)),
  ]
}

/** Texts in quotes are no names. */
function readsName(condition: string, name: string): boolean {
  return mentionsVariable(condition.replaceAll(/'[^']*'|"[^"]*"/g, '').toLowerCase(), name)
}

function exposed(path: string, name: string, type: string, allowed: readonly string[]): Finding {
  const message = `${name} is a secret, and others could read it here`
  const places = allowed.map((field) => `config.${field}`).join(' and ')
  const cure =
    places === '' ? 'use a shell or api handler for it' : `in ${type} handlers secrets may stand in ${places}`
  return finding('error', 'secret_exposed', path, message, cure)
}
