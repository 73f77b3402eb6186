import {isAbsolute, normalize, sep} from 'node:path'
import {AtomError} from '@atomctl/wpk/errors'
import {placeholdersIn} from '@atomctl/wpk/parameters'
import {isForShell} from '../../handlers/command-words.ts'
import {valueVariables} from '../../handlers/environment.ts'
import {KubectlError} from '../kubectl.ts'
import {namesOf, planCommand, type Action, type Session} from '../session.ts'
import {placeFlags} from '../target.ts'
import {readText} from '../values.ts'

/**
 * `kubectl exec` in one pod. A list is the program and its arguments; a text, or a list that is a shell's script, is for the container's own shell, which
 * gets the parameters it names as variables, so that no value becomes code.
 */
export const exec: Action = {
  async plan(session) {
    const type = session.target.type ?? 'pod'
    const words = execWords(session, await onePod(session, type))
    const planned = await planCommand(session, words, type)
    return {...planned, lines: [...planned.lines, 'what the command does in the container cannot be tried']}
  },
  async run(session) {
    const words = execWords(session, await onePod(session, session.target.type ?? 'pod'))
    const {output, stdout, exitCode} = await session.kubectl.stream(words)
    return {output, exitCode, document: () => stdout}
  },
}

async function onePod(session: Session, type: string): Promise<string> {
  const names = await namesOf(session, type)
  if (names.length === 1) return `${type}/${names[0]}`
  throw new KubectlError(`${session.target.selector} matches ${names.length} objects; a command runs in one`, 'Failed')
}

function execWords(session: Session, object: string): string[] {
  const container = readText(session.config, 'container')
  const flags = [...(container === undefined ? [] : [`--container=${container}`]), ...placeFlags(session.target)]
  return ['exec', object, ...flags, '--', ...commandWords(session)]
}

function commandWords(session: Session): string[] {
  const {command, env} = commandFor(session)
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  return [...(variables.length > 0 ? ['env', ...variables] : []), ...command]
}

/** The words to run in a container, and for a text the values it names. */
export function commandFor({config, spec, values}: Session): {command: string[]; env: Record<string, string>} {
  const command = config['command']
  if (command === undefined) return {command: [], env: {}}
  if (Array.isArray(command) && !isForShell(command)) return {command: command.map(String), env: {}}
  const written = spec.config['command'] ?? ''
  const named = new Set(placeholdersIn(written).map(({name}) => name))
  const used = Object.entries(valueVariables(values)).filter(([variable]) => named.has(variable))
  const words = Array.isArray(written) ? written.map(String) : ['/bin/sh', '-c', String(written)]
  return {command: words, env: Object.fromEntries(used)}
}

/** `kubectl cp` between a pod, written POD:PATH, and the execution's own directory. */
export const copy: Action = {
  async plan(session) {
    const words = copyWords(session)
    const pod = words.find((word) => word.includes(':'))?.split(':')[0] ?? ''
    return planCommand({...session, target: {...session.target, name: pod}}, words, 'pod')
  },
  async run(session) {
    const {output, exitCode} = await session.kubectl.stream(copyWords(session))
    return {output, exitCode, document: () => output}
  },
}

function copyWords(session: Session): string[] {
  const {config, target} = session
  const [source, destination] = ['source', 'destination'].map((key) => copyEnd(String(config[key]), key))
  const container = readText(config, 'container')
  if ([source, destination].filter((end) => end?.isRemote).length !== 1)
    throw new AtomError('PARAMETER_INVALID', 'One of source and destination must be POD:PATH, the other a local path')
  const flags = [...(container === undefined ? [] : [`--container=${container}`]), ...placeFlags(target)]
  return ['cp', ...flags, '--', source?.word ?? '', destination?.word ?? '']
}

interface CopyEnd {
  readonly isRemote: boolean
  readonly word: string
}

const POD = /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/

/** A path in the pod must not look like an option to the `tar` there, a local one not leave the directory. */
function copyEnd(text: string, key: string): CopyEnd {
  const [pod = '', ...rest] = text.split(':')
  const refuse = (why: string): never => {
    throw new AtomError('PARAMETER_INVALID', `${key} ${JSON.stringify(text.slice(0, 200))} ${why}`)
  }
  if (text.includes('\0') || text === '') return refuse('is no path')
  if (rest.length > 0) {
    if (!POD.test(pod)) return refuse('does not name a pod')
    return /^[-\s]/.test(rest.join(':')) || rest.join(':') === ''
      ? refuse('is no path in a pod')
      : {isRemote: true, word: text}
  }
  const path = normalize(text)
  if (isAbsolute(path) || path === '..' || path.startsWith(`..${sep}`))
    return refuse("leaves the execution's directory")
  return {isRemote: false, word: `.${sep}${path}`}
}
