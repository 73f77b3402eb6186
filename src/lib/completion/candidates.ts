import type {Candidate} from '@atomctl/sdk/completion'
import type {CommandShape, Input, Inventory} from './inventory.ts'
import {kindsOf} from './kinds.ts'
import {findFlag, readSituation, type Situation} from './situation.ts'

/** What the shell is to offer. */
export interface Offer {
  readonly candidates: readonly Candidate[]
  /** Whether the word goes on after what is offered. */
  readonly unfinished?: boolean
  /** Files too: patterns, all of them when there are none. */
  readonly files?: readonly string[]
  readonly directories?: boolean
}

/** Finds the values of one kind; the rest of the command line says which. */
export type FindValues = (kind: string, current: string, situation: Situation) => Promise<Offer>

const NOTHING: Offer = {candidates: []}

/** What can stand at the cursor: commands, flags, or values. Values of `--flag=value` come with the flag in front. */
export async function offerFor(
  words: readonly string[],
  current: string,
  inventory: Inventory,
  findValues: FindValues,
): Promise<Offer> {
  const situation = readSituation(words, inventory)
  const {command, expecting, literal} = situation
  if (expecting) return flagValues(expecting, current, situation, findValues)
  if (!literal && current.startsWith('-')) return afterDash(current, situation, findValues)
  const children = situation.open ? commandsBelow(situation.path, inventory) : []
  const values = command ? await argumentValues(command, current, situation, findValues) : NOTHING
  return {...values, candidates: [...children, ...values.candidates]}
}

async function afterDash(current: string, situation: Situation, findValues: FindValues): Promise<Offer> {
  const equals = current.indexOf('=')
  if (equals < 0) return {candidates: situation.command ? offeredFlags(situation, current) : []}
  const flag = findFlag(current.slice(0, equals), Object.values(situation.command?.flags ?? {}))
  if (flag?.type !== 'option') return NOTHING
  const offer = await flagValues(flag, current.slice(equals + 1), situation, findValues)
  const prefix = current.slice(0, equals + 1)
  return {...offer, candidates: offer.candidates.map((one) => ({...one, value: prefix + one.value}))}
}

/** Commands and topics one word further. */
export function commandsBelow(path: string, {shown, commands, topics}: Inventory): Candidate[] {
  const prefix = path === '' ? '' : `${path}:`
  const found = new Map<string, string | undefined>()
  for (const id of [...shown].toSorted()) {
    if (!id.startsWith(prefix)) continue
    const [name = ''] = id.slice(prefix.length).split(':')
    const command = shown.has(prefix + name) ? commands.get(prefix + name) : undefined
    if (name !== '') found.set(name, topics.get(prefix + name) || command?.summary || command?.description)
  }
  return [...found].map(([value, description]) => ({value, description}))
}

function offeredFlags({command, given}: Situation, current: string): Candidate[] {
  const flags = Object.values(command?.flags ?? {})
  const free = flags.filter((flag) => !flag.hidden && isFree(flag, given, flags))
  const help: Input = {name: 'help', description: 'Show what the command does', type: 'boolean'}
  return [...free, help].flatMap((flag) => spellings(flag, current))
}

/** Not given yet unless it may be repeated, and not excluded by one that is. */
function isFree(flag: Input, given: Situation['given'], flags: readonly Input[]): boolean {
  if (given.has(flag.name)) return flag.multiple === true
  return !flags.some(
    (other) => given.has(other.name) && (other.exclusive?.includes(flag.name) || flag.exclusive?.includes(other.name)),
  )
}

function spellings({name, char, allowNo, summary, description = summary}: Input, current: string): Candidate[] {
  const long = [{value: `--${name}`, description}]
  if (allowNo) long.push({value: `--no-${name}`, description})
  return char !== undefined && current === `-${char}` ? [{value: current, description}] : long
}

function flagValues(flag: Input, current: string, situation: Situation, findValues: FindValues): Promise<Offer> {
  if (flag.options) return Promise.resolve({candidates: flag.options.map((value) => ({value}))})
  const hint = situation.command?.completion?.flags?.[flag.name]
  return collect(kindsOf(hint, flag.helpValue, flag.name), current, situation, findValues)
}

function argumentValues(
  command: CommandShape,
  current: string,
  situation: Situation,
  findValues: FindValues,
): Promise<Offer> {
  const args = Object.values(command.args ?? {})
  const last = args.at(-1)
  const repeats = command.strict === false || last?.multiple === true
  const arg = args[situation.positionals.length] ?? (repeats ? last : undefined)
  if (!arg) return Promise.resolve(NOTHING)
  if (arg.options) return Promise.resolve({candidates: arg.options.map((value) => ({value}))})
  return collect(kindsOf(command.completion?.args?.[arg.name], arg.name), current, situation, findValues)
}

async function collect(
  kinds: readonly string[],
  current: string,
  situation: Situation,
  findValues: FindValues,
): Promise<Offer> {
  const offers = await Promise.all(kinds.map((kind) => findValues(kind, current, situation)))
  const files = offers.flatMap((offer) => (offer.files ? [offer.files] : []))
  return {
    candidates: offers.flatMap(({candidates}) => candidates),
    unfinished: offers.some(({unfinished}) => unfinished === true),
    directories: offers.some(({directories}) => directories === true),
    ...(files.length > 0 ? {files: files.flat()} : {}),
  }
}
