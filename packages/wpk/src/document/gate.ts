import {Composer, isAlias, isMap, isScalar, isSeq} from 'yaml'
import type {CST, Document, ParsedNode, Scalar, YAMLMap, YAMLSeq} from 'yaml'

import type {Json, JsonObject} from '../canonical.ts'
import type {Finding, Locate} from './finding.ts'
import {hasErrors} from './finding.ts'
import {appendPath, parentPath} from './path.ts'
import {quoteText, readPlain, RESERVED_KEYS} from './scalars.ts'
import {decodeText, forbiddenCharacters, SourceText} from './text.ts'
import {scanTokens} from './tokens.ts'

/** What passed, or failed, the gate. `reading` is a best effort for further checks even when there are findings. */
export interface GateResult {
  text: string
  value?: Json
  reading?: Json
  findings: Finding[]
  locate: Locate
}

/** Enough for an author to work on; a hostile file must not cost a finding per byte. */
const MAX_FINDINGS = 200

/**
 * The gate alone (spec: WPK format, "Reading"): accepts YAML that every reader understands the same way, and reports
 * everything else with its place and, where there is one, the form to write. Never throws on bad input.
 */
export function parseYaml(bytes: Uint8Array, source: string): GateResult {
  const text = decodeText(bytes)
  if (typeof text === 'string') return new Gate(new SourceText(text), source).read()
  return {text: '', findings: [{...text, message: `${source}: ${text.message}`}], locate: () => undefined}
}

class Gate {
  readonly #text: SourceText
  readonly #source: string
  readonly #findings: Finding[] = []
  readonly #offsets = new Map<string, number>()

  constructor(text: SourceText, source: string) {
    this.#text = text
    this.#source = source
  }

  read(): GateResult {
    this.#checkCharacters()
    const contents = this.#compose()
    const reading = contents === undefined ? undefined : this.#node(contents, '')
    const accepted = reading !== undefined && !hasErrors(this.#findings)
    return {
      text: this.#text.original,
      ...(accepted && {value: reading}),
      ...(reading !== undefined && {reading}),
      findings: this.#findings,
      locate: (path) => this.#locate(path),
    }
  }

  #checkCharacters(): void {
    for (const {offset, name} of forbiddenCharacters(this.#text.normalized)) {
      this.#report('yaml_character', `The character ${name} is not allowed; write it as an escape in a quoted string`, {
        offset,
      })
    }
  }

  #compose(): ParsedNode | undefined {
    const scan = scanTokens(this.#text.normalized)
    for (const {rule, message, offset, rewrite} of scan.problems) {
      this.#report(rule, message, {offset, ...(rewrite && {rewrite: {start: offset, ...rewrite}})})
    }
    if (!scan.complete) return undefined
    return this.#single(composeDocuments(scan.tokens, this.#text.normalized.length))
  }

  #single([document, second]: Document.Parsed[]): ParsedNode | undefined {
    if (second) {
      this.#report('yaml_documents', `${this.#source} holds more than one YAML document`, {offset: second.range[0]})
    }
    for (const problem of document?.errors ?? []) {
      if (problem.code === 'TAG_RESOLVE_FAILED') continue // the scan has refused the tag
      this.#report('yaml_syntax', problem.message, {offset: problem.pos[0]})
    }
    const contents = document?.contents
    if (!contents || (isScalar(contents) && contents.source === '' && contents.type === 'PLAIN')) {
      this.#report('yaml_documents', `${this.#source} is empty`, {})
      return undefined
    }
    if (isScalar(contents)) {
      const message = `${this.#source} holds a single value: a mapping or a list is expected`
      this.#report('yaml_root', message, {offset: contents.range[0]})
      return undefined
    }
    return this.#findings.some(({rule}) => rule === 'yaml_syntax') ? undefined : contents
  }

  #node(node: ParsedNode, path: string): Json {
    this.#offsets.set(path, node.range[0])
    if (isAlias(node)) return null // the scan has refused it
    if (isMap(node)) return this.#mapping(node, path)
    if (isSeq(node)) return this.#sequence(node, path)
    return this.#scalar(node, path)
  }

  #sequence(node: YAMLSeq.Parsed, path: string): Json[] {
    return node.items.map((item, index) => this.#node(item, appendPath(path, index)))
  }

  #mapping(node: YAMLMap.Parsed, path: string): JsonObject {
    const mapping: JsonObject = {}
    for (const {key, value} of node.items) {
      const name = this.#key(key, mapping, path)
      const child = name === undefined ? path : appendPath(path, name)
      const read = value === null ? this.#missingValue(key, child) : this.#node(value, child)
      if (name !== undefined) mapping[name] = read
      if (isBlock(value)) this.#offsets.set(child, key.range[0])
    }
    return mapping
  }

  /** The key's text, or undefined when it cannot be one (the value is still checked). */
  #key(key: ParsedNode, mapping: JsonObject, path: string): string | undefined {
    const name = this.#keyText(key, path)
    if (name === undefined) return undefined
    if (Object.hasOwn(mapping, name)) {
      this.#refuse('yaml_duplicate_key', `The key ${quoteText(name)} is written twice`, key, path)
      return undefined
    }
    if (RESERVED_KEYS.has(name)) {
      this.#refuse('yaml_reserved_key', `The key ${name} is not allowed`, key, path)
      return undefined
    }
    if (!name.isWellFormed()) {
      this.#refuse('yaml_character', `The key ${quoteText(name)} holds half of a surrogate pair`, key, path)
    } else if (name.normalize('NFC') !== name) {
      this.#refuse('yaml_unicode_key', `The key ${quoteText(name)} is not in Unicode NFC`, key, path)
    }
    return name
  }

  #keyText(key: ParsedNode, path: string): string | undefined {
    if (!isScalar(key)) {
      this.#refuse('yaml_key', 'A mapping key must be a string', key, path)
      return undefined
    }
    if (key.type === 'PLAIN' && key.source === '<<') {
      this.#refuse('yaml_merge', 'Merge keys are not allowed: repeat the values', key, path)
      return undefined
    }
    if (this.#text.normalized.slice(key.range[0], key.range[1]).includes('\n')) {
      this.#refuse('yaml_key', 'A mapping key must stand on one line', key, path)
    }
    this.#checkQuotes(key, path)
    return key.type === 'PLAIN' ? this.#plainKey(key, path) : String(key.value)
  }

  #plainKey(key: Scalar.Parsed, path: string): string {
    const source = key.source
    const {value} = readPlain(source)
    if (typeof value !== 'string' || readPlain(source).problem !== undefined) {
      const text = quoteText(source)
      const rewrite = {start: key.range[0], end: key.range[1], text}
      this.#report('yaml_key', `The key ${source} must be quoted: ${text}`, {offset: key.range[0], path, rewrite})
    }
    this.#checkTab(key, path)
    return source
  }

  #missingValue(key: ParsedNode, path: string): null {
    this.#offsets.set(path, key.range[0])
    this.#report('yaml_empty', 'The value is missing', {offset: key.range[0], path})
    return null
  }

  #scalar(node: Scalar.Parsed, path: string): Json {
    if (typeof node.value === 'string' && !node.value.isWellFormed()) {
      this.#refuse('yaml_character', 'The string holds half of a surrogate pair', node, path)
    }
    this.#checkTab(node, path)
    this.#checkBlockEnd(node, path)
    this.#checkQuotes(node, path)
    if (node.type !== 'PLAIN') return String(node.value)
    const scalar = readPlain(node.source)
    if (scalar.problem !== undefined) this.#reportPlain(node, scalar, path)
    return scalar.value
  }

  #reportPlain(node: Scalar.Parsed, scalar: {problem: string; rewrite: string}, path: string): void {
    const [start, end] = node.range
    if (node.source === '') {
      const message = 'The value is empty: write null, or "" to mean empty text'
      const text = this.#spaced('null', start)
      return this.#report('yaml_empty', message, {offset: start, path, rewrite: {start, end: start, text}})
    }
    this.#report('yaml_ambiguous', scalar.problem, {offset: start, path, rewrite: {start, end, text: scalar.rewrite}})
  }

  /** The text with a space on each side where another character touches it. */
  #spaced(text: string, offset: number): string {
    const [before = ' ', after = ' '] = [this.#text.normalized[offset - 1], this.#text.normalized[offset]]
    return `${/\s/.test(before) ? '' : ' '}${text}${/[\s,\]}]/.test(after) ? '' : ' '}`
  }

  /** Line folding strips tabs in some readers only; inside one line they are content to all. */
  #checkTab(node: Scalar.Parsed, path: string): void {
    const [start, end] = node.range
    const written = this.#text.normalized.slice(start, end)
    if (!written.includes('\t')) return
    const harmful = isBlockScalar(node) ? /^ *\t/m.test(written) : node.type === 'PLAIN' || written.includes('\n')
    if (harmful) this.#refuse('yaml_tab', 'A tab in this scalar reads differently: quote it and write \\t', node, path)
  }

  /** Where the file ends inside a block scalar, PyYAML reads no line break and the others read one. */
  #checkBlockEnd(node: Scalar.Parsed, path: string): void {
    const text = this.#text.normalized
    const [start, end] = node.range
    if (
      !isBlockScalar(node) ||
      end < text.length ||
      text.endsWith('\n') ||
      /^.[1-9]?-/.test(text.slice(start, start + 3))
    )
      return
    const rewrite = {start: text.length, end: text.length, text: '\n'}
    this.#report('yaml_block_end', 'The last line needs a line break after it', {offset: start, path, rewrite})
  }

  /** The library takes the last quote for the closing one even where it is escaped. */
  #checkQuotes(node: Scalar.Parsed, path: string): void {
    if (node.type !== 'QUOTE_SINGLE' && node.type !== 'QUOTE_DOUBLE') return
    if (isClosed(this.#text.normalized.slice(node.range[0], node.range[1]))) return
    this.#refuse('yaml_syntax', 'The closing quote is missing', node, path)
  }

  #refuse(rule: string, message: string, node: ParsedNode, path: string): null {
    this.#report(rule, message, {offset: node.range[0], path})
    return null
  }

  #report(rule: string, message: string, where: Where): void {
    if (this.#findings.length >= MAX_FINDINGS) return
    const {offset, path = '', rewrite} = where
    const finding: Finding = {rule, severity: 'error', message, path}
    if (offset !== undefined) finding.position = this.#text.positionAt(offset)
    if (rewrite) finding.fix = this.#fix(rewrite)
    this.#findings.push(finding)
  }

  #fix({start, end, text}: Rewrite): {start: number; end: number; text: string} {
    return {start: this.#text.originalOffset(start), end: this.#text.originalOffset(end), text}
  }

  #locate(path: string): ReturnType<Locate> {
    for (let at: string | undefined = path; at !== undefined; at = parentPath(at)) {
      const offset = this.#offsets.get(at)
      if (offset !== undefined) return this.#text.positionAt(offset)
    }
    return undefined
  }
}

/** The quote at the end closes unless it is itself escaped: by another one, or by a backslash. */
function isClosed(written: string): boolean {
  if (written.startsWith("'")) return trailing(written.slice(1), "'") % 2 === 1
  return trailing(written.slice(1, -1), '\\') % 2 === 0
}

/** How many of one character stand at the end of a text. */
function trailing(text: string, character: string): number {
  let start = text.length
  while (start > 0 && text[start - 1] === character) start--
  return text.length - start
}

function isBlockScalar(node: Scalar.Parsed): boolean {
  return node.type === 'BLOCK_LITERAL' || node.type === 'BLOCK_FOLDED'
}

/** A block collection starts lines below its key, and the key is what a reader looks for. */
function isBlock(value: ParsedNode | null): boolean {
  return (isMap(value) || isSeq(value)) && value.flow !== true
}

/** Plain scalars stay text (failsafe schema), duplicate keys stay ours to find: the library's search is quadratic. */
function composeDocuments(tokens: Iterable<CST.Token>, length: number): Document.Parsed[] {
  const composer = new Composer({schema: 'failsafe', resolveKnownTags: false, uniqueKeys: false, logLevel: 'silent'})
  return [...composer.compose(tokens, true, length)] as Document.Parsed[]
}

interface Rewrite {
  start: number
  end: number
  text: string
}

interface Where {
  offset?: number
  path?: string
  rewrite?: Rewrite
}
