/** Words that run the command after them. */
const PREFIXES = new Set('sudo exec command nohup env time then do else if while until ! {'.split(' '))

const SHELL = /(?:^|\/)(?:ba|z|da|k)?sh$/

/** A text inside a text inside a text is no honest command any more. */
const MAX_NESTING = 4

/**
 * The simple commands of a shell text, each as its words without quotes, those inside `$(…)` and `sh -c '…'` included:
 * enough to see which program gets which arguments. This is no shell: whoever wants to hide can, so it serves the
 * honest author.
 */
export function commandsIn(text: string, nesting = 0): string[][] {
  if (nesting > MAX_NESTING) return []
  const tokens = tokensOf(text.replace(/\\\r?\n/g, ' '))
  const commands = splitCommands(tokens).map((words) => dropPrefixes(dropRedirections(words.map(unquote))))
  const inner = [...tokens.flatMap(substitutionsIn), ...commands.flatMap(scriptsOf)]
  return [...commands, ...inner.flatMap((script) => commandsIn(script, nesting + 1))]
}

const TOKEN =
  /#[^\n]*|\n|&&|\|\||[;|&()`]|\$\(|(?:\\.|"(?:[^"\\]|\\.)*"|'[^']*'|\$\{[^}]{0,200}\}|\$(?!\()|[^\s;|&()`"'\\$])+|["'\\]/g
const SEPARATOR = /^(?:\n|&&|\|\||[;|&()`]|\$\(|#.*)$/

function tokensOf(text: string): string[] {
  return text.match(TOKEN) ?? []
}

function splitCommands(tokens: readonly string[]): string[][] {
  const commands: string[][] = [[]]
  for (const token of tokens) {
    if (SEPARATOR.test(token)) commands.push([])
    else commands.at(-1)!.push(token)
  }
  return commands.filter((words) => words.length > 0)
}

function unquote(token: string): string {
  return token.replace(
    /"((?:[^"\\]|\\.)*)"|'([^']*)'/g,
    (_, double?: string, single?: string) => double ?? single ?? '',
  )
}

/** `> file`, `2>>file`, `<file`: names of files, not arguments. */
function dropRedirections(words: readonly string[]): string[] {
  const isArrow = (word: string | undefined) => word !== undefined && /^\d?(?:>>?|<)$/.test(word)
  return words.filter((word, index) => !/^\d?[<>]/.test(word) && !isArrow(words[index - 1]))
}

function dropPrefixes(words: readonly string[]): string[] {
  const start = words.findIndex((word) => !PREFIXES.has(word) && !/^[A-Za-z_]\w*=/.test(word))
  return start === -1 ? [] : words.slice(start)
}

/** What stands in `$(…)` inside double quotes, where the token is one word. */
function substitutionsIn(token: string): string[] {
  if (token.startsWith("'")) return []
  return [...token.matchAll(/"[^"]*?(?:\$\(|`)([^"]*)/g)].map(([, script]) => script!)
}

/** The script of `sh -c '…'` and of `eval '…'`. */
function scriptsOf([program = '', ...words]: string[]): string[] {
  if (program === 'eval') return [words.join(' ')]
  const flag = SHELL.test(program) ? words.findIndex((word) => /^-[a-z]*c$/.test(word)) : -1
  return flag === -1 ? [] : words.slice(flag + 1, flag + 2)
}

/** Whether the patterns occur one after the other. One pattern that spans them would be quadratic on hostile text. */
export function inOrder(text: string, patterns: readonly RegExp[]): boolean {
  let rest = text
  for (const pattern of patterns) {
    const match = pattern.exec(rest)
    if (!match) return false
    rest = rest.slice(match.index + match[0].length)
  }
  return true
}
