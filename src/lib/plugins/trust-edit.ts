import {existsSync, readFileSync} from 'node:fs'
import type {Environment} from '@atomctl/sdk/config'
import {writeFileSafely} from '@atomctl/sdk/files'
import {parseTrustList, trustListPath} from './trust-list.ts'
import {TRUST_API_VERSION, type TrustRule} from './trust-schema.ts'

/** Puts a rule into the user's list, in place of the one with the same name. @throws PLUGIN_TRUST_INVALID, OUTPUT_FAILED */
export async function addTrust(environment: Environment, rule: TrustRule): Promise<string> {
  return editTrust(environment, (rules) => [...rules.filter(({name}) => name !== rule.name), rule])
}

/** Takes the rule with this name out of the user's list. @returns whether there was one */
export async function removeTrust(environment: Environment, name: string): Promise<boolean> {
  const path = trustListPath(environment)
  if (!existsSync(path)) return false
  const rules = await parseTrustList(readFileSync(path), path)
  if (!rules.some((rule) => rule.name === name)) return false
  await editTrust(environment, (rules) => rules.filter((rule) => rule.name !== name))
  return true
}

const NEW_LIST = `# Which plugins atomctl may load. docs/plugins.md describes the fields.
apiVersion: ${TRUST_API_VERSION}
plugins: []
`

// The rules as they are written, paths relative: only those that change are written anew.
async function editTrust(environment: Environment, change: (rules: TrustRule[]) => TrustRule[]): Promise<string> {
  const {parseYaml, setYamlValue} = await import('@atomctl/wpk/document')
  const path = trustListPath(environment)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : NEW_LIST
  await parseTrustList(Buffer.from(text), path)
  const {value} = parseYaml(Buffer.from(text), path)
  const rules = change((value as unknown as {plugins: TrustRule[]}).plugins)
  const changed = setYamlValue(text, ['plugins'], JSON.parse(JSON.stringify(rules)) as [])
  await parseTrustList(Buffer.from(changed), path)
  await writeFileSafely(path, changed, {mode: 0o600, directoryMode: 0o700})
  return path
}
