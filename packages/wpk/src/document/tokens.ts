import {Lexer, Parser} from 'yaml'
import type {CST} from 'yaml'

/** Limits a hostile document meets before anything recursive or quadratic sees it. */
export const MAX_DEPTH = 64
export const MAX_NODES = 50_000

export interface TokenProblem {
  rule: string
  message: string
  offset: number
  /** Text to write over the offending lexeme. */
  rewrite?: {end: number; text: string}
}

export interface TokenScan {
  tokens: CST.Token[]
  problems: TokenProblem[]
  /** False when scanning stopped early, so the tokens must not be composed. */
  complete: boolean
}

/** A node takes a handful of tokens; far more are blank lines and comments to wear a reader out. */
const MAX_TOKENS = 10 * MAX_NODES

/**
 * Cuts the text into syntax tokens without recursion, and stops at the first excess of depth or nodes: the
 * composer, which does recurse, only ever sees trees within the limits.
 */
export function scanTokens(text: string): TokenScan {
  const parser = new Parser()
  const scan: TokenScan = {tokens: [], problems: [], complete: true}
  let nodes = 0
  let tokens = 0
  let inScalar = false
  for (const lexeme of new Lexer().lex(text)) {
    if (inScalar) inScalar = false
    else if (lexeme === SCALAR_MARK) inScalar = true
    else inspectLexeme(lexeme, parser.offset, isLineStart(text, parser.offset), scan.problems)
    if (++tokens > MAX_TOKENS || (startsNode(lexeme) && ++nodes > MAX_NODES)) return stop(scan, tooMany(parser.offset))
    for (const token of parser.next(lexeme)) scan.tokens.push(token)
    if (parser.stack.length > MAX_DEPTH && depthOf(parser) > MAX_DEPTH) return stop(scan, tooDeep(parser.offset))
  }
  for (const token of parser.end()) scan.tokens.push(token)
  return scan
}

/** The lexer puts this before every plain scalar and block scalar body. */
const SCALAR_MARK = '\u001F'

/** Whatever opens or separates nodes; the composer is quadratic in stray commas and properties, so they count too. */
function startsNode(lexeme: string): boolean {
  return NODE_STARTS.has(lexeme[0]!)
}
const NODE_STARTS = new Set([SCALAR_MARK, '"', "'", '[', '{', '-', ',', '?', '&', '!', '*'])

/** What a document may not use at all, by the first character of its lexeme. */
const REFUSED: Record<string, {rule: string; what: string}> = {
  '%': {rule: 'yaml_directive', what: 'Directives are not allowed'},
  '!': {rule: 'yaml_tag', what: 'Tags are not allowed'},
  '&': {rule: 'yaml_anchor', what: 'Anchors are not allowed'},
  '*': {rule: 'yaml_alias', what: 'Aliases are not allowed, repeat the value'},
  // where its colon may stand readers disagree
  '?': {rule: 'yaml_key', what: 'A mapping key must stand on one line with its colon, without a question mark'},
}

function inspectLexeme(lexeme: string, offset: number, atLineStart: boolean, problems: TokenProblem[]): void {
  const refused = REFUSED[lexeme[0]!]
  if (refused) problems.push({rule: refused.rule, message: `${refused.what}: ${lexeme.trim().slice(0, 80)}`, offset})
  else if (lexeme.includes('\t') && lexeme.trim() === '') problems.push(tabProblem(lexeme, offset, atLineStart))
}

/** How deep a tab indents nobody can say, so only tabs between things on a line are rewritten. */
function tabProblem(lexeme: string, offset: number, indents: boolean): TokenProblem {
  return {
    rule: 'yaml_tab',
    message: 'A tab separates or indents here, which readers treat differently: use spaces',
    offset: offset + lexeme.indexOf('\t'),
    ...(!indents && {rewrite: {end: offset + lexeme.length, text: ' '}}),
  }
}

function isLineStart(text: string, offset: number): boolean {
  return offset === 0 || text[offset - 1] === '\n'
}

/** The stack also holds the document and the scalar being built. */
function depthOf(parser: Parser): number {
  return parser.stack.filter((token) => 'items' in token).length
}

/** The reason for stopping comes first, before the findings that are cut off at some number. */
function stop({tokens, problems}: TokenScan, problem: TokenProblem): TokenScan {
  return {tokens, problems: [problem, ...problems], complete: false}
}

function tooMany(offset: number): TokenProblem {
  return {rule: 'yaml_nodes', message: `The document has more than ${MAX_NODES} values`, offset}
}

function tooDeep(offset: number): TokenProblem {
  return {rule: 'yaml_depth', message: `The document is nested more than ${MAX_DEPTH} levels deep`, offset}
}
