import {AtomError} from '../errors.ts'

/**
 * Asks a yes/no question on stderr; anything but yes declines.
 * @throws INPUT_REQUIRED where nobody can answer (naming the flag that answers), INTERRUPTED when declined.
 */
export async function confirm(question: string, options: {interactive: boolean; flag: string}): Promise<void> {
  if (!options.interactive) {
    throw new AtomError('INPUT_REQUIRED', `${question} There is no terminal to ask on`, {hint: `add ${options.flag}`})
  }
  const {createInterface} = await import('node:readline/promises')
  const prompt = createInterface({input: process.stdin, output: process.stderr})
  try {
    const answer = await prompt.question(`${question} [y/N] `)
    if (/^y(es)?$/i.test(answer.trim())) return
  } finally {
    prompt.close()
  }
  throw new AtomError('INTERRUPTED', 'nothing was done')
}
