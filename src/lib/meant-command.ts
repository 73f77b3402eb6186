import {suggestName} from '@atomctl/sdk/suggest'

type Words = readonly string[]

/**
 * The command whose words are nearest to the first ones typed, so that the arguments after them do not matter; the
 * topic alone, not `complete`, when only that was understood. Undefined when nothing is near.
 */
export function meantCommand(typed: Words, commands: readonly Words[]): {words: Words; complete: boolean} | undefined {
  let words: string[] = []
  let within = commands
  for (const [depth, word] of typed.entries()) {
    const next = suggestName(word, new Set(within.flatMap((command) => command[depth] ?? [])))
    if (next === undefined) break
    words = [...words, next]
    within = within.filter((command) => command[depth] === next)
  }
  if (words.length > 0) return {words, complete: within.some((command) => command.length === words.length)}
  return meantTogether(typed[0] ?? '', commands)
}

/** `keysgenerate` and `keys-generate` for `keys generate`. */
function meantTogether(word: string, commands: readonly Words[]): {words: Words; complete: boolean} | undefined {
  const joined = suggestName(
    word.replaceAll(/[-_.]/g, ' '),
    commands.map((command) => command.join(' ')),
  )
  return joined === undefined ? undefined : {words: joined.split(' '), complete: true}
}
