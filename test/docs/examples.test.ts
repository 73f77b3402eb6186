import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {expect} from 'chai'
import {type ManifestCommand, manifestFolders, readCommands} from '../../scripts/manifests.ts'
import {listFiles, ROOT} from '../../scripts/rooms.ts'
import {readAllCommands} from '../../scripts/reference.ts'

const commands = new Map(readAllCommands().map((command) => [command.id.replaceAll(':', ' '), command]))

/** What is wrong with one line a reader is told to type; undefined when it can be typed as it stands. */
function problemOf(line: string): string | undefined {
  const words = wordsOf(line)
  if (words.length === 0 || words[0]?.startsWith('-')) return undefined
  const name = [3, 2, 1].map((length) => words.slice(0, length).join(' ')).find((candidate) => commands.has(candidate))
  const command = name === undefined ? undefined : commands.get(name)
  if (!command) return words.length === 1 && isTopic(words[0] ?? '') ? undefined : `no such command: ${line}`
  const unknown = flagsIn(words).filter((flag) => !knows(command, flag))
  return unknown.length === 0 ? undefined : `${unknown.join(', ')} unknown: ${line}`
}

function isTopic(word: string): boolean {
  return [...commands.keys()].some((name) => name.startsWith(`${word} `))
}

/** The words after `atomctl`, up to a pipe, a redirection, a comment or the next command. */
function wordsOf(line: string): string[] {
  const text = line.replace(/^.*?\batomctl(\s+|$)/, '')
  const words = text.match(/"[^"]*"|'[^']*'|\S+/g) ?? []
  const end = words.findIndex((word) => /^(#|\||&&|>|;|2>)/.test(word))
  return end === -1 ? words : words.slice(0, end)
}

function flagsIn(words: readonly string[]): string[] {
  return words.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/[=:,.].*$/s, ''))
}

function knows({flags}: ManifestCommand, word: string): boolean {
  if (word === '--help') return true
  const all = Object.values(flags)
  if (!word.startsWith('--')) return all.some(({char}) => char === word[1])
  return all.some(({name, allowNo}) => word === `--${name}` || (allowNo === true && word === `--no-${name}`))
}

/** Lines of shell code blocks that start with atomctl, the commands of console transcripts, and inline code. */
function commandLines(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/```(?:sh|console)\n([\s\S]*?)```/g)].map((match) => match[1] ?? '')
  const lines = blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, '').split('\n'))
  const inline = [...markdown.matchAll(/(?<!`)`(atomctl [a-z][^`]*)`(?!`)/g)].map((match) => match[1] ?? '')
  return [...lines.filter((line) => /^(\$ )?atomctl\b/.test(line)), ...inline]
}

function examplesOf(command: ManifestCommand): string[] {
  const texts = (command.examples ?? []).map((example) => (typeof example === 'string' ? example : example.command))
  return texts
    .flatMap((text) => text.replaceAll('<%= config.bin %>', 'atomctl').split('\n'))
    .map((text) => text.replaceAll('<%= command.id %>', command.id.replaceAll(':', ' ')))
    .filter((text) => text.includes('atomctl'))
}

describe('the examples in --help', () => {
  const own = manifestFolders().flatMap(readCommands)

  it('are there for every command', () => {
    expect(own.filter((command) => examplesOf(command).length === 0).map(({id}) => id)).to.deep.equal([])
  })

  it('name only commands and flags that exist', () => {
    const problems = own.flatMap(examplesOf).flatMap((line) => problemOf(line) ?? [])
    expect(problems).to.deep.equal([])
  })
})

describe('the commands in the documentation', () => {
  const pages = [join(ROOT, 'README.md'), join(ROOT, 'examples', 'README.md'), ...listFiles(join(ROOT, 'docs'), '.md')]

  for (const page of pages.filter((path) => !path.endsWith('commands.md'))) {
    it(`exist, with their flags, in ${page.slice(ROOT.length + 1)}`, () => {
      const problems = commandLines(readFileSync(page, 'utf8')).flatMap((line) => problemOf(line) ?? [])
      expect(problems).to.deep.equal([])
    })
  }

  it('would be found out if they did not exist', () => {
    expect(problemOf('atomctl frobnicate x')).to.include('no such command')
    expect(problemOf('$ atomctl run x --frobnicate')).to.include('--frobnicate unknown')
    expect(commandLines('```sh\natomctl run \\\n  x --wait\n```')).to.deep.equal(['atomctl run x --wait'])
  })
})
