import {mkdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import type {ManifestCommand, ManifestInput} from './manifests.ts'
import {exampleLines, expand, isGlobal, nameOf, readAllCommands, spellingOf, usageOf} from './reference.ts'
import {ROOT} from './rooms.ts'

/** Where the build puts the manual pages. */
const MANUAL = join(ROOT, 'lib', 'man')

/**
 * Writes `atomctl.1` and one page for each first word of a command, `atomctl-keys.1`; older pages go. package.json lists
 * them where the package has them (`man`): npm links what is listed there, and nothing for `directories.man`.
 */
export function writeManual(): void {
  rmSync(MANUAL, {recursive: true, force: true})
  mkdirSync(MANUAL, {recursive: true})
  const pages = renderManual(readAllCommands())
  for (const [name, page] of pages) writeFileSync(join(MANUAL, name), page)
  listInManifest([...pages.keys()].toSorted().map((name) => `dist/client/lib/man/${name}`))
}

function listInManifest(man: readonly string[]): void {
  const file = join(ROOT, 'package.json')
  const before = readFileSync(file, 'utf8')
  const after = `${JSON.stringify({...(JSON.parse(before) as object), man}, undefined, 2)}\n`
  if (after !== before) writeFileSync(file, after)
}

/** The pages by file name, in the man macros of roff. */
export function renderManual(commands: readonly ManifestCommand[]): Map<string, string> {
  const topics = Map.groupBy(commands, ({id}) => id.split(':', 1)[0] ?? id)
  const pages = [...topics].map(([topic, members]): [string, string] => [
    `atomctl-${topic}.1`,
    page(`atomctl-${topic}`, lead(members), members.flatMap(describe)),
  ])
  const list = commands.flatMap((command) => item(nameOf(command), firstLine(command)))
  return new Map([
    [
      'atomctl.1',
      page('atomctl', 'validate, sign, push and run workflow packages', ['.SH COMMANDS', ...list, ...ENVIRONMENT]),
    ],
    ...pages,
  ])
}

const ENVIRONMENT = [
  '.SH SEE ALSO',
  text('atomctl help COMMAND prints the same; atomctl explain CODE the cause and cure of an error.'),
]

function page(name: string, summary: string, body: readonly string[]): string {
  const title = `.TH "${name.toUpperCase()}" "1" "" "atomctl" "atomctl"`
  return [title, '.ad l', '.SH NAME', `${escape(name)} \\- ${text(summary)}`, ...body, ''].join('\n')
}

function lead([first]: readonly ManifestCommand[]): string {
  return first ? firstLine(first) : ''
}

function firstLine(command: ManifestCommand): string {
  return expand(command.summary || command.description || '', command).split('\n', 1)[0] ?? ''
}

function describe(command: ManifestCommand): string[] {
  const args = Object.values(command.args).filter(({hidden}) => !hidden)
  const flags = Object.values(command.flags).filter((flag) => !flag.hidden && !isGlobal(flag))
  const examples = command.examples ?? []
  return [
    `.SH "${escape(nameOf(command)).toUpperCase()}"`,
    `.B ${text(usageOf(command, args, flags))}`,
    ...paragraphs(expand(command.description || command.summary || '', command)),
    ...args.flatMap((arg) => item(arg.name.toUpperCase(), words(arg))),
    ...flags.flatMap((flag) => item(spellingOf(flag), words(flag))),
    ...(examples.length === 0 ? [] : ['.PP', 'Examples:', '.PP', '.nf', '.RS']),
    ...examples.flatMap((example) => exampleLines(example, command).flatMap((line) => line.split('\n').map(text))),
    ...(examples.length === 0 ? [] : ['.RE', '.fi']),
  ]
}

function words({summary, description}: ManifestInput): string {
  return (summary ?? description ?? '').replaceAll(/\s+/g, ' ').trim()
}

function item(term: string, description: string): string[] {
  return ['.TP', `.B ${text(term)}`, text(description)]
}

function paragraphs(description: string): string[] {
  return description
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => ['.PP', text(line)])
}

/** One line of text: nothing in it is a request or an escape of roff. */
function text(line: string): string {
  return escape(line).replace(/^([.'])/, '\\&$1')
}

function escape(line: string): string {
  return line
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll(
      /[^\x20-\x7e]/gu,
      (char) => `\\[u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
}
