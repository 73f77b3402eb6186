import type {HandlerSpec} from './program.ts'

/**
 * Which rollback handlers run, and in which order: first those that name what they undo, the last completed first and
 * only for what did complete; then those that name nothing, as written.
 */
export function rollbackOrder(rollback: readonly HandlerSpec[], completed: readonly HandlerSpec[]): HandlerSpec[] {
  const undoing = completed.toReversed().flatMap((done) => rollback.filter((handler) => handler.undoes === done.name))
  return [...undoing, ...rollback.filter((handler) => handler.undoes === undefined)]
}
