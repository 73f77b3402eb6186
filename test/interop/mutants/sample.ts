import {Chance} from '../../../scripts/fuzzing.ts'

/** The same cases at every run, as in CI; MUTANTS_SEED=N takes others. scripts/fuzz-bundle.ts looks for new ones. */
export function seedOf(): number {
  return Number(process.env['MUTANTS_SEED'] ?? 20261128)
}

/** So many of the items at most, each with the same chance, in the order of a seed. */
export function sampleOf<Item>(items: readonly Item[], count: number, seed: number): Item[] {
  const chance = new Chance(seed)
  const left = [...items]
  const picked: Item[] = []
  while (picked.length < count && left.length > 0) picked.push(...left.splice(chance.below(left.length), 1))
  return picked
}
