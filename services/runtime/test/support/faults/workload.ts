import type {Chance} from '../../../../../scripts/fuzzing.ts'
import {shell, type PackageShape} from '../packages.ts'

export type Kind = (typeof KINDS)[number]
const KINDS = ['plain', 'plain', 'flaky', 'failing', 'failing', 'stranded', 'cancelled', 'undone'] as const

/** What one execution of a storm does, and how it has to end. */
export interface Wish {
  readonly kind: Kind
  readonly key: string
  readonly shape: PackageShape
  readonly steps: readonly string[]
  /** The step that fails for good. */
  readonly fails: number | undefined
}

/**
 * Steps that write down when they begin and end, with their idempotency key, and print two lines in between. All that
 * happens to the world is in that one file.
 */
export function makeWish(chance: Chance, ledger: string, key: string): Wish {
  const kind = chance.pick(KINDS)
  const steps = Array.from({length: 2 + chance.below(3)}, (_, index) => `s${index}`)
  const fails = kind === 'failing' || kind === 'stranded' ? chance.below(steps.length) : undefined
  const handlers = steps.map((name, position) => {
    const isFlaky = kind === 'flaky' && chance.below(2) === 0
    const code = position === fails ? 'exit 1' : isFlaky ? flake(ledger) : 'exit 0'
    return shell(name, command(ledger, chance, code), isFlaky ? {retry: {max_attempts: 4, backoff: '50ms'}} : {})
  })
  const undo = steps.map((name) => shell(`undo-${name}`, command(ledger, chance, 'exit 0'), {undoes: name}))
  const rollback = {safety: {rollback_enabled: true}, rollback: {enabled: true, handlers: undo}}
  return {kind, key, steps, fails, shape: {handlers, ...(kind === 'stranded' ? {} : rollback)}}
}

/** Fails the first time, whoever runs it. */
function flake(ledger: string): string {
  const mark = `"${ledger}.$(echo "$ATOM_IDEMPOTENCY_KEY" | tr / _)"`
  return `[ -e ${mark} ] || { touch ${mark}; exit 1; }; exit 0`
}

function command(ledger: string, chance: Chance, end: string): string {
  const note = (what: string): string => `echo "${what} $ATOM_IDEMPOTENCY_KEY $$" >> "${ledger}"`
  const seconds = (chance.below(40) / 100).toFixed(2)
  return `${note('begin')}; echo "first of $$"; sleep ${seconds}; echo "last of $$"; ${note('end')}; ${end}`
}

export interface Accepted {
  readonly wish: Wish
  /** Every id that was ever answered for its key. */
  readonly ids: Set<string>
  cancelAsked: boolean
  rollbackAsked: boolean
}
