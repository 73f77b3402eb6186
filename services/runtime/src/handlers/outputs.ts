import {constants} from 'node:fs'
import {open} from 'node:fs/promises'
import type {Json} from '@atomctl/protocol/values'
import type {Finding} from '@atomctl/wpk/document'
import {isObject, type HandlerSpec} from '../program.ts'
import {NO_SECRETS, type StepSecrets} from '../secrets/step.ts'
import {isReserved, variableName} from './environment.ts'
import {failure, finding, type HandlerResult} from './handler.ts'

const LARGEST_FILE = 64 * 1024
const NAME = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/

export interface Outputs {
  readonly values: Record<string, string>
  readonly problem?: string
}

/** Reads the `name=value` lines that a command wrote to $ATOM_OUTPUT; a missing file is no outputs. */
export async function readOutputFile(
  file: string,
  secrets: Pick<StepSecrets, 'redact'> = NO_SECRETS,
): Promise<Outputs> {
  const written = await readBounded(file)
  if (written === undefined) return {values: {}}
  // Before anything is taken out of it: a secret that was cut at the limit is no longer known.
  if (written.length > LARGEST_FILE) return {values: {}, problem: `$ATOM_OUTPUT is larger than ${LARGEST_FILE} bytes`}
  const text = secrets.redact(written.toString('utf8'))
  const values: Record<string, string> = {}
  for (const line of text.split('\n').filter((entry) => entry.trim() !== '')) {
    const [name = '', ...rest] = line.split('=')
    const problem = rest.length === 0 ? 'is not name=value' : nameProblem(name)
    if (problem) return {values: {}, problem: `$ATOM_OUTPUT: line "${name.slice(0, 80)}" ${problem}`}
    values[name] = rest.join('=').replaceAll('\0', '')
  }
  return {values}
}

/** How a command ended, and why that is no success. */
export interface CommandEnd {
  readonly exitCode: number | null
  readonly output: string
  readonly problem: string | undefined
}

/** A success only with every output that the handler declares. */
export function commandResult(spec: HandlerSpec, end: CommandEnd, {values, problem}: Outputs): HandlerResult {
  const {exitCode, output} = end
  const missing = Object.keys(isObject(spec.outputs) ? spec.outputs : {}).filter((name) => !(name in values))
  const incomplete = missing.length > 0 ? `did not write ${missing.join(', ')} to $ATOM_OUTPUT` : undefined
  const error = end.problem ?? problem ?? incomplete
  if (error !== undefined) return failure(error, {exitCode, output})
  return {status: 'success', error: null, exitCode, httpStatus: null, output, outputs: values}
}

export function nameProblem(name: string): string | undefined {
  if (!NAME.test(name)) return 'does not start with a name of letters, digits and _'
  return isReserved(variableName(name)) ? 'uses a reserved name' : undefined
}

/** RFC 6901; undefined when nothing is there. */
export function resolvePointer(value: Json, pointer: string): Json | undefined {
  let found: Json | undefined = value
  for (const token of pointer.split('/').slice(1)) {
    const key = token.replaceAll('~1', '/').replaceAll('~0', '~')
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined
    found = (found as Record<string, Json>)[key]
  }
  return found
}

export function isPointer(text: Json | undefined): text is string {
  return typeof text === 'string' && /^(\/([^~/]|~[01])*)*$/.test(text)
}

/** Outputs of a handler that takes them out of a document; the rule is the handler's type and `-outputs`. */
export function checkPointers(type: string, outputs: Json): Finding[] {
  if (!isObject(outputs)) return [finding(`${type}-outputs`, 'outputs', 'outputs must map names to JSON pointers')]
  return Object.entries(outputs).flatMap(([name, pointer]) => {
    const problem = nameProblem(name) ?? (isPointer(pointer) ? undefined : 'is not a JSON pointer like /data/id')
    return problem ? [finding(`${type}-outputs`, `outputs.${name}`, `Output "${name}" ${problem}`)] : []
  })
}

/**
 * A command may have put something else in the file's place: a pipe, which opening would wait for, or a link to what
 * only the runtime may read. Windows has neither flag, nor pipes in its folders.
 */
const READ_ONLY_WHAT_IS_THERE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)

async function readBounded(file: string): Promise<Buffer | undefined> {
  const handle = await open(file, READ_ONLY_WHAT_IS_THERE).catch(() => undefined)
  if (!handle) return undefined
  try {
    // Reading from a device would not end.
    if (!(await handle.stat()).isFile()) return undefined
    const {bytesRead, buffer} = await handle.read(Buffer.alloc(LARGEST_FILE + 1))
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}
