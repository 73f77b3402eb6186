import type {Candidate} from '@atomctl/sdk/completion'
import {SETTING_KEYS} from '@atomctl/sdk/config'
import type {Surroundings} from './cache.ts'
import {commandsBelow, type FindValues, type Offer} from './candidates.ts'
import type {Inventory} from './inventory.ts'
import {findEntry} from './refreshing.ts'
import type {Situation} from './situation.ts'

const PACKAGES = ['*.wpk.yaml', '*.wpk.yml', '*.wpk.tar.gz']
const TARGET_FLAGS = ['context', 'registry-url', 'runtime-url']

/** Finds values: from the manifests and the settings here, everything else from the answers that are kept. */
export function valueFinder(inventory: Inventory, surroundings: Surroundings): FindValues {
  const here: Readonly<Record<string, (situation: Situation) => Offer>> = {
    command: ({positionals}) => ({candidates: commandsBelow(positionals.join(':'), inventory)}),
    directory: () => ({candidates: [], directories: true}),
    file: () => ({candidates: [], files: []}),
    package: () => ({candidates: [], files: PACKAGES}),
    plugin: () => ({candidates: inventory.plugins.map((value) => ({value}))}),
    setting: () => ({candidates: SETTING_KEYS.map((value) => ({value}))}),
  }
  return async (kind, current, situation) => here[kind]?.(situation) ?? live(kind, current, situation, surroundings)
}

async function live(hint: string, current: string, situation: Situation, surroundings: Surroundings): Promise<Offer> {
  const [kind = '', from] = hint.split('@')
  const subject = from === undefined ? situation.positionals[0] : subjectFrom(from, situation)
  const dependent = from !== undefined || kind === 'parameter' || kind === 'step'
  if (dependent && subject === undefined) return {candidates: []}
  const query = {kind, subject: dependent ? subject : undefined, target: targetOf(situation)}
  const candidates = (await findEntry(query, surroundings))?.candidates ?? []
  return candidates.some(({values}) => values) ? pairs(candidates, current, situation) : {candidates}
}

function subjectFrom(name: string, {command, given, positionals}: Situation): string | undefined {
  const index = Object.keys(command?.args ?? {}).indexOf(name)
  return index < 0 ? given.get(name)?.at(-1) : positionals[index]
}

function targetOf({given}: Situation): Record<string, string> {
  return Object.fromEntries(
    TARGET_FLAGS.flatMap((name) => {
      const value = given.get(name)?.at(-1)
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** `name=` for those not given yet, or `name=value` once a name stands there. */
function pairs(candidates: readonly Candidate[], current: string, {expecting, given}: Situation): Offer {
  const name = current.includes('=') ? current.slice(0, current.indexOf('=')) : undefined
  if (name !== undefined) {
    const values = candidates.find(({value}) => value === name)?.values ?? []
    return {candidates: values.map((value) => ({value: `${name}=${value}`}))}
  }
  const pairsGiven = [...given].filter(([flag]) => !expecting || flag === expecting.name).flatMap(([, all]) => all)
  const used = new Set(pairsGiven.map((pair) => pair.split('=')[0]))
  const free = candidates.filter(({value}) => !used.has(value))
  return {candidates: free.map(({value, description}) => ({value: `${value}=`, description})), unfinished: true}
}
