/** Words that run the command after them. */
const PREFIXES = new Set([
  'sudo',
  'exec',
  'command',
  'nohup',
  'env',
  'time',
  'then',
  'do',
  'else',
  'if',
  'while',
  'until',
  '!',
  '{',
])

/**
 * The simple commands of a shell text, each as its words without quotes: enough to see which program gets which
 * arguments. This is no shell parser: whoever wants to hide can, so it serves the honest author.
 */
export function commandsIn(text: string): string[][] {
  const commands: string[][] = []
  let words: string[] = []
  for (const token of tokensOf(text.replace(/\\\r?\n/g, ' '))) {
    if (!SEPARATOR.test(token)) words.push(unquote(token))
    else if (words.length > 0) {
      commands.push(words)
      words = []
    }
  }
  if (words.length > 0) commands.push(words)
  return commands.map(dropPrefixes)
}

const TOKEN =
  /#[^\n]*|\n|&&|\|\||[;|&()`]|\$\(|(?:\\.|"(?:[^"\\]|\\.)*"|'[^']*'|\$\{[^}]*\}|\$(?!\()|[^\s;|&()`"'\\$])+|["'\\]/g
const SEPARATOR = /^(?:\n|&&|\|\||[;|&()`]|\$\(|#.*)$/

function tokensOf(text: string): string[] {
  return text.match(TOKEN) ?? []
}

function unquote(token: string): string {
  return token.replace(
    /"((?:[^"\\]|\\.)*)"|'([^']*)'/g,
    (_, double?: string, single?: string) => double ?? single ?? '',
  )
}

function dropPrefixes(words: string[]): string[] {
  const start = words.findIndex((word) => !PREFIXES.has(word) && !/^[A-Za-z_]\w*=/.test(word))
  return start === -1 ? [] : words.slice(start)
}
