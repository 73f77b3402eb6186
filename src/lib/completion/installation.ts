import {readFile, rm} from 'node:fs/promises'
import {homedir} from 'node:os'
import {basename, join} from 'node:path'
import {type Environment, homeOf} from '@atomctl/sdk/config'
import {AtomError} from '@atomctl/sdk/errors'
import {writeFileSafely} from '@atomctl/sdk/files'
import {type Shell, SHELLS} from './reply.ts'
import {SCRIPTS} from './shells/index.ts'

/** Where the completion of one shell lies: the script, and the file of the person's that reads it, if one has to. */
export interface Places {
  readonly script: string
  readonly startup: string | undefined
}

export interface Installed extends Places {
  readonly shell: Shell
  /** Whether anything had to be written or removed. */
  readonly changed: boolean
}

const BEGIN = '# >>> atomctl completion >>>'
const END = '# <<< atomctl completion <<<'
// What the file was like before, so that removing the block leaves exactly that.
const NEW_FILE = ' (this file was made for it)'
const NO_NEWLINE = ' (the line above had no end)'

/** The shell a person uses, by $SHELL. @throws USAGE when that does not say */
export function detectShell(environment: Environment): Shell {
  const name = basename(environment['SHELL'] ?? '')
  const found = SHELLS.find((shell) => shell === name || (shell === 'powershell' && name === 'pwsh'))
  if (found) return found
  throw new AtomError('USAGE', `cannot tell the shell from SHELL=${JSON.stringify(environment['SHELL'] ?? '')}`, {
    hint: `name it: ${SHELLS.join(', ')}`,
  })
}

/** fish reads a folder by itself; the others read one file at their start, which gets three lines. */
export function placesOf(shell: Shell, environment: Environment): Places {
  const home = environment['HOME'] || homedir()
  const config = environment['XDG_CONFIG_HOME'] || join(home, '.config')
  const own = (name: string): string => join(homeOf(environment), 'completion', name)
  switch (shell) {
    case 'bash':
      return {script: own('atomctl.bash'), startup: join(home, '.bashrc')}
    case 'zsh':
      return {script: own('atomctl.zsh'), startup: join(environment['ZDOTDIR'] || home, '.zshrc')}
    case 'fish':
      return {script: join(config, 'fish', 'completions', 'atomctl.fish'), startup: undefined}
    case 'powershell':
      return {script: own('atomctl.ps1'), startup: powershellProfile(home, config)}
  }
}

function powershellProfile(home: string, config: string): string {
  const folder = process.platform === 'win32' ? join(home, 'Documents', 'PowerShell') : join(config, 'powershell')
  return join(folder, 'Microsoft.PowerShell_profile.ps1')
}

/** Writes the script and has the shell read it; done again it changes nothing. @throws OUTPUT_FAILED */
export async function installCompletion(shell: Shell, environment: Environment): Promise<Installed> {
  const places = placesOf(shell, environment)
  const written = await writeIfOther(places.script, asBytes(`${SCRIPTS[shell]}\n`))
  const {startup} = places
  if (startup === undefined) return {shell, ...places, changed: written}
  const before = await readIfThere(startup)
  const after = withBlock(before, asBytes(sourceLine(shell, places.script)))
  if (after !== before) await writeFileSafely(startup, bytesOf(after))
  return {shell, ...places, changed: written || after !== before}
}

/** Takes both away; the person's file is then what it was before, byte for byte. @throws OUTPUT_FAILED */
export async function uninstallCompletion(shell: Shell, environment: Environment): Promise<Installed> {
  const places = placesOf(shell, environment)
  const {script, startup} = places
  const had = (await readIfThere(script)) !== undefined
  const before = startup === undefined ? undefined : await readIfThere(startup)
  const after = before === undefined ? undefined : withoutBlock(before)
  if (startup !== undefined && after !== before) {
    await (after === undefined ? rm(startup) : writeFileSafely(startup, bytesOf(after)))
  }
  await rm(script, {force: true})
  return {shell, ...places, changed: had || after !== before}
}

/** The file with the block: in place of one that is there, else at the end. */
export function withBlock(before: string | undefined, line: string): string {
  const found = before === undefined ? undefined : findBlock(before)
  if (before !== undefined && found) return before.slice(0, found.body) + `${line}\n` + before.slice(found.close)
  const note = before === undefined ? NEW_FILE : before === '' || before.endsWith('\n') ? '' : NO_NEWLINE
  return `${before ?? ''}${note === NO_NEWLINE ? '\n' : ''}${BEGIN}${note}\n${line}\n${END}\n`
}

/** The file as it was without the block; undefined when there was none. */
export function withoutBlock(before: string): string | undefined {
  const found = findBlock(before)
  if (!found) return before
  const {start, end, note} = found
  const rest = before.slice(0, note === NO_NEWLINE ? start - 1 : start) + before.slice(end)
  return rest === '' && note === NEW_FILE ? undefined : rest
}

interface Block {
  readonly start: number
  readonly note: string
  /** Where its line begins, where the closing mark begins, where what follows begins. */
  readonly body: number
  readonly close: number
  readonly end: number
}

function findBlock(text: string): Block | undefined {
  const start = text.startsWith(BEGIN) ? 0 : text.indexOf(`\n${BEGIN}`) + 1
  const close = text.indexOf(`\n${END}\n`, start) + 1
  if ((start === 0 && !text.startsWith(BEGIN)) || close === 0) return undefined
  const body = text.indexOf('\n', start) + 1
  return {start, note: text.slice(start + BEGIN.length, body - 1), body, close, end: close + END.length + 1}
}

function sourceLine(shell: Shell, script: string): string {
  if (shell === 'powershell') {
    const path = `'${script.replaceAll("'", "''")}'`
    return `if (Test-Path -LiteralPath ${path}) { . ${path} }`
  }
  const path = `'${script.replaceAll("'", String.raw`'\''`)}'`
  return `[ -r ${path} ] && . ${path}`
}

async function writeIfOther(path: string, text: string): Promise<boolean> {
  if ((await readIfThere(path)) === text) return false
  await writeFileSafely(path, bytesOf(text))
  return true
}

/** Read as latin1, which keeps every byte as it is whatever the encoding of the file; written back the same way. */
async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

// Text that came from `readIfThere`, or has the bytes of UTF-8 as characters.
const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1')

/** The bytes of UTF-8 as characters, to stand beside what `readIfThere` returns. */
const asBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
