import {spawn} from 'node:child_process'
import type {Environment} from '../config/environment.ts'

const PATIENCE = 15_000

/** The operating system's store of secrets, reached through its own program; a value only ever goes through pipes. */
export interface Keychain {
  /** False when there is none, it is locked or it does not answer. */
  store(id: string, value: string): Promise<boolean>
  read(id: string): Promise<string | undefined>
  remove(id: string): Promise<boolean>
}

/**
 * The keychain of this machine: the Secret Service (GNOME Keyring, KWallet) through `secret-tool`, macOS's through
 * `security`. undefined without a session bus, on Windows, and where ATOMCTL_NO_KEYCHAIN says so: the file is used then.
 */
export function openKeychain(environment: Environment): Keychain | undefined {
  if (environment['ATOMCTL_NO_KEYCHAIN']) return undefined
  if (process.platform === 'darwin') return macKeychain(environment)
  if (process.platform !== 'linux' || !environment['DBUS_SESSION_BUS_ADDRESS']) return undefined
  return secretService(environment)
}

function secretService(environment: Environment): Keychain {
  const tool = (args: string[], input = ''): Promise<Outcome> => run('secret-tool', args, input, environment)
  const place = (id: string): string[] => ['service', 'atomctl', 'login', id]
  return {
    store: async (id, value) => (await tool(['store', '--label=atomctl login', ...place(id)], value)).code === 0,
    read: async (id) => found(await tool(['lookup', ...place(id)])),
    remove: async (id) => (await tool(['clear', ...place(id)])).code === 0,
  }
}

// `security -i` reads its commands from standard input, so that the value is in no argument list.
function macKeychain(environment: Environment): Keychain {
  const place = (id: string): string => `-s atomctl -a ${id}`
  return {
    store: async (id, value) => {
      const hex = Buffer.from(value).toString('hex')
      return (await run('security', ['-i'], `add-generic-password -U ${place(id)} -X ${hex}\n`, environment)).code === 0
    },
    read: async (id) =>
      found(await run('security', ['find-generic-password', ...place(id).split(' '), '-w'], '', environment)),
    remove: async (id) =>
      (await run('security', ['delete-generic-password', ...place(id).split(' ')], '', environment)).code === 0,
  }
}

function found({code, output}: Outcome): string | undefined {
  return code === 0 && output !== '' ? output.replace(/\n$/, '') : undefined
}

interface Outcome {
  readonly code: number | null
  readonly output: string
}

function run(command: string, args: readonly string[], input: string, environment: Environment): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {env: {...environment}, stdio: ['pipe', 'pipe', 'ignore'], timeout: PATIENCE})
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
    // absent, or gone before it read: both mean that there is no keychain
    child.once('error', () => resolve({code: null, output: ''}))
    child.stdin.on('error', () => undefined)
    child.once('close', (code) => resolve({code, output}))
    child.stdin.end(input)
  })
}
