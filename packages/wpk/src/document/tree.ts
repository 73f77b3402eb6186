import {isAlias, isMap, isScalar, isSeq} from 'yaml'
import type {ParsedNode, Scalar, YAMLMap, YAMLSeq} from 'yaml'

import type {Json, JsonObject} from '../canonical.ts'
import type {Ledger} from './ledger.ts'
import {appendPath} from './path.ts'
import {checkQuotes, checkSurrogates, checkTabs, readScalar} from './scalar-node.ts'
import {quoteShort, quoteText, readPlain, RESERVED_KEYS} from './scalars.ts'

/** Turns a composed tree, whose depth is within limits, into JSON, and reports whatever the gate refuses in it. */
export class TreeReader {
  readonly #text: string
  readonly #ledger: Ledger

  constructor(text: string, ledger: Ledger) {
    this.#text = text
    this.#ledger = ledger
  }

  read(node: ParsedNode, path: string): Json {
    this.#ledger.place(path, node.range[0])
    if (isAlias(node)) return null // the scan has refused it
    if (isMap(node)) return this.#readMapping(node, path)
    if (isSeq(node)) return this.#readSequence(node, path)
    return readScalar(node, path, this.#text, this.#ledger)
  }

  #readSequence(node: YAMLSeq.Parsed, path: string): Json[] {
    return node.items.map((item, index) => this.read(item, appendPath(path, index)))
  }

  #readMapping(node: YAMLMap.Parsed, path: string): JsonObject {
    const mapping: JsonObject = {}
    for (const {key, value} of node.items) {
      const name = this.#readKey(key, mapping, path)
      const child = name === undefined ? path : appendPath(path, name)
      const read = value === null ? this.#readMissing(key, child) : this.read(value, child)
      if (name !== undefined) mapping[name] = read
      if (isBlock(value)) this.#ledger.place(child, key.range[0])
    }
    return mapping
  }

  #readMissing(key: ParsedNode, path: string): null {
    this.#ledger.place(path, key.range[0])
    this.#refuse('yaml_empty', 'The value is missing', key, path)
    return null
  }

  /** The key's name, or undefined when it cannot be one (the value is still checked). */
  #readKey(key: ParsedNode, mapping: JsonObject, path: string): string | undefined {
    const name = this.#keyText(key, path)
    if (name === undefined) return undefined
    const problem = keyProblem(name, mapping)
    if (!problem) return name
    this.#refuse(problem.rule, `The key ${quoteShort(name)} ${problem.message}`, key, path)
    return problem.usable ? name : undefined
  }

  #keyText(key: ParsedNode, path: string): string | undefined {
    if (!isScalar(key)) return this.#refuse('yaml_key', 'A mapping key must be a string', key, path)
    if (key.type === 'PLAIN' && key.source === '<<') {
      return this.#refuse('yaml_merge', 'Merge keys are not allowed: repeat the values', key, path)
    }
    // no quotes to write: where an empty key stands is not where its text would have to
    if (key.type === 'PLAIN' && key.source === '') return this.#refuse('yaml_key', 'The key is missing', key, path)
    if (this.#text.slice(key.range[0], key.range[1]).includes('\n')) {
      this.#refuse('yaml_key', 'A mapping key must stand on one line', key, path)
    }
    checkQuotes(key, path, this.#text, this.#ledger)
    checkSurrogates(key, path, this.#text, this.#ledger)
    return key.type === 'PLAIN' ? this.#plainKey(key, path) : String(key.value)
  }

  #plainKey(key: Scalar.Parsed, path: string): string {
    const {source, range} = key
    const {value, problem} = readPlain(source)
    if (typeof value !== 'string' || problem !== undefined) {
      const rewrite = {start: range[0], end: range[1], text: quoteText(source)}
      this.#ledger.report('yaml_key', `The key must be quoted: ${quoteShort(source)}`, {
        offset: range[0],
        path,
        rewrite,
      })
    }
    checkTabs(key, path, this.#text, this.#ledger)
    return source
  }

  #refuse(rule: string, message: string, node: ParsedNode, path: string): undefined {
    this.#ledger.report(rule, message, {offset: node.range[0], path})
    return undefined
  }
}

interface KeyProblem {
  rule: string
  message: string
  usable?: boolean
}

function keyProblem(name: string, mapping: JsonObject): KeyProblem | undefined {
  if (Object.hasOwn(mapping, name)) return {rule: 'yaml_duplicate_key', message: 'is written twice'}
  if (RESERVED_KEYS.has(name)) return {rule: 'yaml_reserved_key', message: 'is not allowed'}
  if (!name.isWellFormed()) return {rule: 'yaml_character', message: 'holds half of a surrogate pair', usable: true}
  if (name.normalize('NFC') === name) return undefined
  return {rule: 'yaml_unicode_key', message: 'is not in Unicode NFC', usable: true}
}

/** A block collection starts lines below its key, and the key is what a reader looks for. */
function isBlock(value: ParsedNode | null): boolean {
  return (isMap(value) || isSeq(value)) && value.flow !== true
}
