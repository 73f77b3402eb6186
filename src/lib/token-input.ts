import {AtomError} from '@atomctl/sdk/errors'
import {readInput} from '@atomctl/sdk/files'
import {askSecret} from '@atomctl/sdk/prompt'

const TOKEN_LIMIT = 64 * 1024

/**
 * The token that a flag's value stands for: `-` is the first line of standard input, or a question on a terminal. `hint`
 * is how to give a better one.
 * @throws USAGE for a token that no HTTP header can carry; the token is never part of the message
 */
export async function readToken(
  value: string,
  interactive: boolean,
  hint = 'atomctl config --auth-token - < token-file',
): Promise<string> {
  const token = value === '-' ? await readFromInput(interactive) : value
  if (/^[\u0021-\u007E]+$/.test(token)) return token
  const what = token === '' ? 'is empty' : 'holds blanks, control or non-ASCII characters'
  throw new AtomError('USAGE', `the token ${what}`, {hint})
}

async function readFromInput(interactive: boolean): Promise<string> {
  if (interactive) return askSecret('Token')
  return new TextDecoder().decode(await readInput('-', TOKEN_LIMIT)).trim()
}
