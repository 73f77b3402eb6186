import {type ChildProcessByStdio, spawn, spawnSync} from 'node:child_process'
import {chmod, mkdir, writeFile} from 'node:fs/promises'
import type {Readable, Writable} from 'node:stream'
import {fileURLToPath} from 'node:url'
import {stripVTControlCharacters} from 'node:util'
import {ATOMCTL, type Sandbox} from './atomctl.ts'

const PTY = fileURLToPath(new URL('on_terminal.py', import.meta.url))
const POLL = 20

/** Whether a shell and what gives it a terminal are there. */
export function canPressKeys(shell: string): boolean {
  return [shell, 'python3'].every((program) => spawnSync(program, ['--version'], {stdio: 'ignore'}).status === 0)
}

export interface Terminal extends AsyncDisposable {
  /** Presses keys. */
  press(keys: string): void
  /** Resolves with the screen's text since the last keys that were awaited, once it shows this. */
  until(pattern: RegExp): Promise<string>
}

const SHELLS: Readonly<Record<string, readonly string[]>> = {
  bash: ['bash', '-i'],
  zsh: ['zsh', '-i'],
  fish: ['fish', '-i', '-C', 'function fish_prompt; echo "READY> "; end; set -g fish_greeting'],
}

/** A shell of this sandbox at its prompt, with the start-up files that are there. */
export async function openShell(sandbox: Sandbox, shell: string): Promise<Terminal> {
  const terminal = openTerminal(
    SHELLS[shell] ?? [shell],
    {
      HOME: sandbox.home,
      PATH: `${sandbox.path('bin')}:${process.env['PATH']}`,
      PS1: 'READY> ',
      TERM: 'xterm',
      LANG: 'C.UTF-8',
      SHELL: `/bin/${shell}`,
    },
    sandbox.home,
  )
  await terminal.until(/READY> /)
  return terminal
}

function openTerminal(command: readonly string[], env: Record<string, string>, cwd: string): Terminal {
  const child: ChildProcessByStdio<Writable, Readable, null> = spawn('python3', [PTY, ...command], {
    cwd,
    env,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  let screen = ''
  let gone = false
  child.stdout.setEncoding('utf8').on('data', (text: string) => (screen += text))
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve((gone = true) as never)))
  child.stdin.on('error', () => {})
  return {
    press: (keys) => void child.stdin.write(keys),
    async until(pattern) {
      for (;;) {
        const text = stripVTControlCharacters(screen)
        if (pattern.test(text)) {
          screen = ''
          return text
        }
        if (gone) throw new Error(`the shell ended; the screen: ${text}`)
        await new Promise((resolve) => setTimeout(resolve, POLL))
      }
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end()
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** Puts the built `atomctl` into the sandbox's PATH. */
export async function installAtomctl(sandbox: Sandbox): Promise<void> {
  await mkdir(sandbox.path('bin'))
  await writeFile(sandbox.path('bin', 'atomctl'), `#!/bin/sh\nexec '${process.execPath}' '${ATOMCTL}' "$@"\n`)
  await chmod(sandbox.path('bin', 'atomctl'), 0o755)
}

/**
 * Puts an `atomctl` into the sandbox's PATH that completes for real and, instead of running a command, shows the
 * arguments that the shell made of the line: what completion inserted, as a command would have got it.
 */
export async function placeAtomctl(sandbox: Sandbox): Promise<void> {
  await mkdir(sandbox.path('bin'))
  const script = `#!/bin/sh
case $1 in
__complete|completion) exec '${process.execPath}' '${ATOMCTL}' "$@" ;;
esac
printf 'GOT'
printf '<%s>' "$@"
echo
`
  await writeFile(sandbox.path('bin', 'atomctl'), script)
  await chmod(sandbox.path('bin', 'atomctl'), 0o755)
}
