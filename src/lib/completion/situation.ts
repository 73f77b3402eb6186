import type {CommandShape, Input, Inventory} from './inventory.ts'

/** Where in a command line the cursor is. */
export interface Situation {
  /** Words that name a command or a topic, joined with colons; '' before the first. */
  readonly path: string
  /** Undefined at a topic, or when the words name nothing. */
  readonly command: CommandShape | undefined
  /** Nothing but the path has been typed, so that it may go on. */
  readonly open: boolean
  readonly positionals: readonly string[]
  /** Values of the flags given so far, by name; '' for a boolean one. */
  readonly given: ReadonlyMap<string, readonly string[]>
  /** The flag whose value the cursor's word is. */
  readonly expecting: Input | undefined
  /** Behind `--`, where nothing is a flag. */
  readonly literal: boolean
}

/** Reads the words before the cursor's, without the program. */
export function readSituation(words: readonly string[], inventory: Inventory): Situation {
  const {path, length} = findPath(words, inventory)
  const command = inventory.commands.get(path)
  const rest = words.slice(length)
  return {path, command, open: rest.length === 0, ...readRest(rest, Object.values(command?.flags ?? {}))}
}

/** The longest beginning of the words that is a command, or else a topic. */
function findPath(words: readonly string[], {commands, topics}: Inventory): {path: string; length: number} {
  const flag = words.findIndex((word) => word.startsWith('-'))
  for (let length = flag < 0 ? words.length : flag; length > 0; length--) {
    const path = words.slice(0, length).join(':')
    if (commands.has(path) || topics.has(path) || hasChildren(path, commands)) return {path, length}
  }
  return {path: '', length: 0}
}

function hasChildren(path: string, commands: Inventory['commands']): boolean {
  return [...commands.keys()].some((id) => id.startsWith(`${path}:`))
}

type Rest = Pick<Situation, 'positionals' | 'given' | 'expecting' | 'literal'>

function readRest(words: readonly string[], flags: readonly Input[]): Rest {
  const positionals: string[] = []
  const given = new Map<string, string[]>()
  let expecting: Input | undefined
  let literal = false
  for (const word of words) {
    if (literal || (expecting === undefined && !isFlag(word))) positionals.push(word)
    else if (expecting && !isFlag(word)) {
      given.get(expecting.name)?.push(word)
      if (!expecting.multiple || expecting.multipleNonGreedy) expecting = undefined
    } else if (word === '--') [literal, expecting] = [true, undefined]
    else expecting = takeFlag(word, flags, given)
  }
  return {positionals, given, expecting, literal}
}

const isFlag = (word: string): boolean => word.startsWith('-') && word !== '-'

/** Notes a flag; it is returned when its value is still to come. */
function takeFlag(word: string, flags: readonly Input[], given: Map<string, string[]>): Input | undefined {
  const equals = word.indexOf('=')
  const flag = findFlag(equals < 0 ? word : word.slice(0, equals), flags)
  if (!flag) return undefined
  const values = given.get(flag.name) ?? []
  given.set(flag.name, values)
  if (flag.type !== 'option') return undefined
  if (equals < 0) return flag
  values.push(word.slice(equals + 1))
  return undefined
}

/** The flag that `--name`, `--no-name` or `-c` stands for. */
export function findFlag(word: string, flags: readonly Input[]): Input | undefined {
  return flags.find(
    ({name, char, allowNo}) =>
      word === `--${name}` || (char !== undefined && word === `-${char}`) || (allowNo && word === `--no-${name}`),
  )
}
