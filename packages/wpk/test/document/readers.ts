import {spawnSync} from 'node:child_process'

import * as jsYaml from 'js-yaml'
import {parse} from 'yaml'
import {canonicalJson} from '@atomctl/wpk/canonical'
import type {Json} from '@atomctl/wpk/canonical'

export type Reader = (text: string) => unknown

/** The readers in the field that run in this process. */
export const READERS: Record<string, Reader> = {
  'yaml 1.2': (text) => parse(text, {version: '1.2', logLevel: 'error'}) as unknown,
  'yaml 1.1': (text) => parse(text, {version: '1.1', logLevel: 'error'}) as unknown,
  'js-yaml': (text) => jsYaml.load(text),
}

/** The canonical JSON of what a reader makes of a text, or its complaint. */
export function reading(read: () => unknown): string {
  try {
    return new TextDecoder().decode(canonicalJson(read() as Json))
  } catch (error) {
    return `refused: ${(error as Error).message.split('\n')[0]}`
  }
}

// No escapes in the answers: the JSON.parse of Node 24.21 mistakes an escaped key for one that is a backslash.
const PROGRAM = `
import json, sys, yaml
def read(text):
    try: return json.dumps(yaml.safe_load(text), allow_nan=False, ensure_ascii=False)
    except Exception as error: return 'refused: ' + type(error).__name__
json.dump([read(text) for text in json.load(sys.stdin)], sys.stdout)
`

/** What PyYAML, which the original registry reads with, makes of each text; undefined where it is not installed. */
export function readWithPython(texts: readonly string[]): string[] | undefined {
  const {status, stdout} = spawnSync('python3', ['-c', PROGRAM], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    env: {...process.env, PYTHONUTF8: '1'},
    maxBuffer: 1 << 28,
  })
  if (status !== 0) return undefined
  const answers = JSON.parse(stdout) as string[]
  return answers.map((answer) => (answer.startsWith('refused') ? answer : reading(() => JSON.parse(answer) as unknown)))
}
