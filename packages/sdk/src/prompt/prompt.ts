import {Writable} from 'node:stream'
import {AtomError} from '../errors.ts'

/** Asks for a secret on the terminal without showing what is typed. */
export async function askSecret(question: string): Promise<string> {
  const muted = new Writable({write: (_chunk, _encoding, done) => done()})
  try {
    return await askOn(muted, '', () => process.stderr.write(`${question}: `))
  } finally {
    process.stderr.write('\n')
  }
}

/** Asks a yes/no question on the terminal; only yes is yes. */
export async function askYesNo(question: string): Promise<boolean> {
  const answer = await askOn(process.stderr, `${question} [y/N] `)
  return /^y(es)?$/i.test(answer.trim())
}

/** Asks for a line of text on the terminal; an empty answer means what was offered. */
export async function askText(question: string, offered = ''): Promise<string> {
  const answer = await askOn(process.stderr, offered === '' ? `${question}: ` : `${question} [${offered}]: `)
  return answer.trim() === '' ? offered : answer.trim()
}

async function askOn(output: NodeJS.WritableStream, question: string, begin?: () => void): Promise<string> {
  const {createInterface} = await import('node:readline/promises')
  const terminal = createInterface({input: process.stdin, output, terminal: true})
  // A terminal in raw mode sends no signal of its own for Ctrl-C.
  terminal.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  const closed = new Promise<never>((_, reject) => {
    terminal.once('close', () => reject(new AtomError('INPUT_REQUIRED', 'the question was not answered')))
  })
  // only now, with the terminal in raw mode, nothing that is typed shows
  begin?.()
  try {
    return await Promise.race([terminal.question(question), closed])
  } finally {
    terminal.close()
  }
}
