import type {Script} from 'node:vm'

/**
 * What a `pattern` of a package may take on one value, in milliseconds; a sound one takes microseconds. The second try
 * is for a busy machine, which may leave the process waiting for all of the first.
 */
const LONGEST = [100, 400] as const

export class PatternTimeout extends Error {}

/** Made on the first match: few packages have a pattern, and a context takes milliseconds. */
let machine: {readonly test: Script; readonly sandbox: {pattern?: RegExp; text?: string}} | undefined

/**
 * A regular expression that gives up. Packages are checked before anybody trusts them, and `^(a|a)*$` on forty letters
 * runs for hours; only a script with a timeout can be stopped in the middle of a match.
 */
function compilePattern(source: string, flags: string): {test(text: string): boolean; toString(): string} {
  const pattern = new RegExp(source, flags)
  // ajv tells patterns apart by their text
  return {test: (text) => matches(pattern, text), toString: () => pattern.toString()}
}

function matches(pattern: RegExp, text: string): boolean {
  // One for all matches, which are only data in it: making one takes longer than a match.
  const {test, sandbox} = (machine ??= startMachine())
  sandbox.pattern = pattern
  sandbox.text = text
  let cause: unknown
  for (const timeout of LONGEST) {
    try {
      return test.runInContext(sandbox, {timeout}) as boolean
    } catch (error) {
      cause = error
    }
  }
  throw new PatternTimeout(`the pattern ${pattern.source.slice(0, 60)} takes too long`, {cause})
}

function startMachine(): NonNullable<typeof machine> {
  const vm = process.getBuiltinModule('node:vm')
  return {test: new vm.Script('pattern.test(text)'), sandbox: vm.createContext({})}
}

/** The engine in the form ajv takes one; `code` would only serve generated files, which we never write. */
export const patternEngine = Object.assign(compilePattern, {code: 'compilePattern'})
