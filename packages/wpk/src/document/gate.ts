import {Composer, isScalar} from 'yaml'
import type {CST, Document, ParsedNode} from 'yaml'

import type {Json} from '../canonical.ts'
import type {Finding, Locate} from './finding.ts'
import {hasErrors} from './finding.ts'
import {Ledger} from './ledger.ts'
import {decodeText, forbiddenCharacters, SourceText} from './text.ts'
import {scanTokens} from './tokens.ts'
import {TreeReader} from './tree.ts'

/** What passed, or failed, the gate. `reading` is a best effort for further checks even when there are findings. */
export interface GateResult {
  text: string
  value?: Json
  reading?: Json
  findings: Finding[]
  locate: Locate
}

/**
 * The gate alone (spec: WPK format, "Reading"): accepts YAML that every reader understands the same way, and reports
 * everything else with its place and, where there is one, the form to write. Never throws on bad input.
 */
export function parseYaml(bytes: Uint8Array, source: string): GateResult {
  const decoded = decodeText(bytes)
  if (typeof decoded === 'string') return readText(new SourceText(decoded), source)
  return {text: '', findings: [{...decoded, message: `${source}: ${decoded.message}`}], locate: () => undefined}
}

function readText(text: SourceText, source: string): GateResult {
  const ledger = new Ledger(text)
  checkCharacters(text.normalized, ledger)
  const contents = composeContents(text.normalized, source, ledger)
  const reading = contents && new TreeReader(text.normalized, ledger).read(contents, '')
  return {
    text: text.original,
    ...(reading !== undefined && {reading}),
    ...(reading !== undefined && !hasErrors(ledger.findings) && {value: reading}),
    findings: ledger.findings,
    locate: (path) => ledger.locate(path),
  }
}

function checkCharacters(text: string, ledger: Ledger): void {
  for (const {offset, name} of forbiddenCharacters(text)) {
    const message = `The character ${name} is not allowed; write it as an escape in a quoted string`
    ledger.report('yaml_character', message, {offset})
  }
}

function composeContents(text: string, source: string, ledger: Ledger): ParsedNode | undefined {
  const {problems, tokens, complete} = scanTokens(text)
  for (const {rule, message, offset, rewrite} of problems) {
    ledger.report(rule, message, {offset, ...(rewrite && {rewrite: {start: offset, ...rewrite}})})
  }
  return complete ? singleDocument(composeDocuments(tokens, text.length), source, ledger) : undefined
}

/** Plain scalars stay text (failsafe schema), duplicate keys stay ours to find: the library's search is quadratic. */
function composeDocuments(tokens: Iterable<CST.Token>, length: number): Document.Parsed[] {
  const composer = new Composer({schema: 'failsafe', resolveKnownTags: false, uniqueKeys: false, logLevel: 'silent'})
  return [...composer.compose(tokens, true, length)] as Document.Parsed[]
}

/** The contents of the one document, unless its syntax leaves nothing sound to read. */
function singleDocument([document, second]: Document.Parsed[], source: string, ledger: Ledger): ParsedNode | undefined {
  if (second) ledger.report('yaml_documents', `${source} holds more than one YAML document`, {offset: second.range[0]})
  // tags that cannot be resolved: the scan has refused them
  const errors = document?.errors.filter(({code}) => code !== 'TAG_RESOLVE_FAILED') ?? []
  for (const {message, pos} of errors) ledger.report('yaml_syntax', message.slice(0, 200), {offset: pos[0]})
  const contents = document?.contents
  if (contents && !isScalar(contents)) return errors.length > 0 ? undefined : contents
  reportNoCollection(contents ?? undefined, source, ledger)
  return undefined
}

function reportNoCollection(contents: ParsedNode | undefined, source: string, ledger: Ledger): void {
  const empty = !contents || (isScalar(contents) && contents.type === 'PLAIN' && contents.source === '')
  if (empty) return ledger.report('yaml_documents', `${source} is empty`, {})
  const message = `${source} holds a single value: a mapping or a list is expected`
  ledger.report('yaml_root', message, {offset: contents.range[0]})
}
