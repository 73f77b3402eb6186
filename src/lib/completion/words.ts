/** A command line as far as the cursor. */
export interface Line {
  /** Complete words before the cursor's, the program included; without their quotes. */
  readonly words: readonly string[]
  /** What stands of the word at the cursor, without quotes. */
  readonly current: string
  /** The quote that is open at the cursor. */
  readonly quote: '' | "'" | '"'
  /** How much of `current` the shell takes as given: bash replaces only what follows an open quote or a break. */
  readonly kept: string
}

interface Word {
  text: string
  started: boolean
  quote: Line['quote']
  kept: string
}

const START: Word = {text: '', started: false, quote: '', kept: ''}

/** Reads a line the way a POSIX shell splits it; nothing in it is expanded. `breaks`: bash's COMP_WORDBREAKS. */
export function readLine(line: string, breaks = ''): Line {
  const words: string[] = []
  let word = {...START}
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? ''
    if (word.quote === '' && /[ \t\n]/.test(character)) {
      if (word.started) words.push(word.text)
      word = {...START}
    } else {
      at += read(word, character, line[at + 1], breaks)
    }
  }
  return {words, current: word.text, quote: word.quote, kept: word.kept}
}

/** Takes one character into the word; how many more were taken with it. */
function read(word: Word, character: string, next: string | undefined, breaks: string): number {
  word.started = true
  if (character === word.quote) {
    word.quote = ''
    return 0
  }
  if (word.quote === '' && (character === "'" || character === '"')) {
    word.quote = character
    word.kept = word.text
    return 0
  }
  if (isEscape(word.quote, character, next)) {
    word.text += next ?? ''
    return 1
  }
  word.text += character
  if (word.quote === '' && breaks.includes(character)) word.kept = word.text
  return 0
}

function isEscape(quote: Line['quote'], character: string, next: string | undefined): boolean {
  if (character !== '\\' || quote === "'") return false
  return quote === '' || (next !== undefined && '\\"$`'.includes(next))
}
