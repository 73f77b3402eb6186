import type {WpkDocument} from '../document/reader.ts'
import type {Finding} from '../document/finding.ts'
import {appendPath} from '../document/path.ts'
import {suggestName} from '../suggestion.ts'
import {placed, type TestDocument} from './reader.ts'
import type {TestCase, WpkTest} from './schema.ts'

/** Names that a package has, by what they name. */
interface Known {
  readonly steps: readonly string[]
  readonly rollbacks: readonly string[]
  readonly secrets: readonly string[]
  readonly parameters: readonly string[]
}

/** Names in a test that its package does not have, each with its place and what was probably meant. */
export function checkTestNames(document: TestDocument, {wpk}: WpkDocument): Finding[] {
  const {handlers, rollback, parameters = []} = wpk.spec
  const rollbacks = (rollback?.handlers ?? []).map(({name}) => name)
  const known: Known = {
    steps: [...handlers.map(({name}) => name), ...rollbacks],
    rollbacks,
    secrets: parameters.filter(({type}) => type === 'secret').map(({name}) => name),
    parameters: parameters.map(({name}) => name),
  }
  const {defaults, cases} = document.test
  const findings = [
    ...(defaults ? situationFindings(defaults, 'defaults', known) : []),
    ...cases.flatMap((one, index) => caseFindings(one, `cases[${index}]`, known)),
    ...duplicates(cases),
  ]
  return findings.map((finding) => placed(finding, document.locate))
}

type Situation = NonNullable<WpkTest['defaults']>

function situationFindings({mocks, secrets, parameters}: Situation, path: string, known: Known): Finding[] {
  const open = Object.keys(parameters ?? {}).filter((name) => known.secrets.includes(name))
  return [
    ...keysOf(mocks, `${path}.mocks`, known.steps, 'handler'),
    ...keysOf(secrets, `${path}.secrets`, known.secrets, 'parameter of type secret'),
    ...open.map((name) => ({
      ...unknownName(appendPath(`${path}.parameters`, name), `${name} is a secret`, []),
      suggestion: `give it a made-up value under secrets`,
    })),
  ]
}

function caseFindings(one: TestCase, path: string, known: Known): Finding[] {
  const {order, rollbacks, skipped, calls} = one.expect
  const during = one.cancel?.during
  return [
    ...situationFindings(one, path, known),
    ...itemsOf(order, `${path}.expect.order`, known.steps, 'handler'),
    ...itemsOf(rollbacks, `${path}.expect.rollbacks`, known.rollbacks, 'rollback handler'),
    ...itemsOf(skipped, `${path}.expect.skipped`, known.steps, 'handler'),
    ...keysOf(calls, `${path}.expect.calls`, known.steps, 'handler'),
    ...itemsOf(during === undefined ? [] : [during], `${path}.cancel.during`, known.steps, 'handler', false),
  ]
}

function keysOf(mapping: object | undefined, path: string, known: readonly string[], what: string): Finding[] {
  const names = Object.keys(mapping ?? {}).filter((name) => !known.includes(name))
  return names.map((name) => unknownName(appendPath(path, name), `The package has no ${what} ${name}`, known, name))
}

function itemsOf(
  names: readonly string[] | undefined,
  path: string,
  known: readonly string[],
  what: string,
  isList = true,
): Finding[] {
  return (names ?? []).flatMap((name, index) => {
    if (known.includes(name)) return []
    return [unknownName(isList ? `${path}[${index}]` : path, `The package has no ${what} ${name}`, known, name)]
  })
}

function unknownName(path: string, message: string, known: readonly string[], name = ''): Finding {
  const meant = suggestName(name, known)
  const suggestion = meant ? `did you mean ${meant}?` : known.length > 0 ? `it has ${known.join(', ')}` : undefined
  return {rule: 'test_name', severity: 'error', message, path, ...(suggestion === undefined ? {} : {suggestion})}
}

/** A report tells cases apart by their names. */
function duplicates(cases: readonly TestCase[]): Finding[] {
  const names = cases.map(({name}) => name)
  const repeated = names.flatMap((name, index) => (names.indexOf(name) < index ? [{name, index}] : []))
  return repeated.map(({name, index}) => ({
    ...unknownName(`cases[${index}].name`, `Two cases are named ${JSON.stringify(name)}`, []),
  }))
}
