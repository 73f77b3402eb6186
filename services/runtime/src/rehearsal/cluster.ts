import {readFileSync} from 'node:fs'
import type {Json, JsonObject} from '@atomctl/protocol/values'
import {kindOf} from '@atomctl/wpk/document'
import {isSecretType, MASK, maskSecrets} from '../kubernetes/redaction.ts'
import {parseJson, valueAt} from '../kubernetes/values.ts'
import type {Command, CommandResult} from '../process/command.ts'
import {isObject} from '../program.ts'
import {mergePatch, splitDocuments} from './objects.ts'
import {readWords, type Words} from './words.ts'

/**
 * What stands in for kubectl and the cluster behind it when the words of a call are worked out: nothing is started. It
 * holds the objects that a test names; any other that is asked for by its name is taken to be there, with one replica.
 * Changes count when `commit` says that the step succeeded.
 */
export class RehearsalCluster {
  readonly #objects = new Map<string, JsonObject>()
  #pending: (() => void)[] = []
  #sent: Json[] = []
  /** Whose revisions a list without selector is about: an action reads the object before it lists them. */
  #lastUid = ''

  add(objects: readonly JsonObject[]): void {
    for (const object of objects) this.#put(object)
  }

  /** What the calls since the last time sent along, values of Secrets masked. */
  takeSent(): Json[] {
    return this.#sent.splice(0)
  }

  commit(): void {
    for (const change of this.#pending.splice(0)) change()
  }

  discard(): void {
    this.#pending = []
    this.#sent = []
  }

  /** In place of `runCommand`. */
  readonly run = (command: Command): Promise<CommandResult> => {
    const answer = this.#answer(readWords(command.args), command.input)
    if (answer.stdout !== '') command.onOutput('stdout', Buffer.from(answer.stdout))
    if (answer.stderr !== undefined) command.onOutput('stderr', Buffer.from(answer.stderr))
    const exitCode = answer.stderr === undefined ? 0 : 1
    return Promise.resolve({ended: 'exit', exitCode, exitSignal: null, spawnError: null, heldOpen: false})
  }

  #answer(words: Words, input: string | undefined): {stdout: string; stderr?: string} {
    if (words.verb === 'get') return {stdout: show(this.#find(words, input), words)}
    if (words.verb === 'patch') return {stdout: JSON.stringify(this.#patch(words))}
    if (words.verb === 'annotate' || words.verb === 'label') return {stdout: JSON.stringify(this.#mark(words))}
    if (words.verb === 'create' || words.verb === 'apply') return {stdout: JSON.stringify(this.#make(words, input))}
    if (words.verb === 'delete') return {stdout: show(this.#find(words, input), {...words, output: 'name'})}
    return {stdout: '', stderr: `error: a test has no answer for kubectl ${words.verb}`}
  }

  #find(words: Words, input: string | undefined): JsonObject[] {
    const {type, name, selector, namespace} = words
    if (input !== undefined) return this.#present(splitDocuments(input))
    if (type === undefined) return []
    if (name !== undefined) return [this.#named(type, name, namespace)]
    const found = [...this.#objects.values()].filter((object) => isOf(object, type, namespace))
    if (selector === undefined) return found.length > 0 ? found : revisionsOf(type, this.#lastUid)
    const chosen = found.filter((object) => matches(object, selector))
    return chosen.length > 0 ? chosen : [makeUp(type, 'selected', namespace)]
  }

  #present(objects: readonly JsonObject[]): JsonObject[] {
    return objects.map((object) => this.#objects.get(keyOf(object))).filter((found) => found !== undefined)
  }

  #named(type: string, name: string, namespace: string | undefined): JsonObject {
    const object = this.#objects.get(keyIn(type, name, namespace)) ?? makeUp(type, name, namespace)
    this.#lastUid = String(valueAt(object, 'metadata', 'uid') ?? '')
    return object
  }

  #patch(words: Words): Json {
    const [object = {}] = this.#find(words, undefined)
    const patch = words.patchFile === undefined ? null : (parseJson(readFileSync(words.patchFile, 'utf8')) ?? null)
    this.#sent.push(isSecretType(words.type) ? maskValues(patch) : patch)
    return this.#change(isObject(patch) ? mergePatch(object, patch) : object)
  }

  #mark(words: Words): Json {
    const [object = {}] = this.#find(words, undefined)
    const marks = Object.fromEntries(words.marks)
    this.#sent.push(marks)
    const key = words.verb === 'label' ? 'labels' : 'annotations'
    return this.#change(mergePatch(object, {metadata: {[key]: marks}}))
  }

  #make(words: Words, input = ''): Json {
    const objects = splitDocuments(input)
    this.#sent.push(...objects.map(maskSecrets))
    const made = objects.map((object) => {
      const before = words.verb === 'apply' ? this.#objects.get(keyOf(object)) : undefined
      return this.#change(mergePatch(before ?? {}, object))
    })
    return made.length === 1 ? (made[0] ?? null) : {kind: 'List', items: made}
  }

  #change(object: JsonObject): JsonObject {
    this.#pending.push(() => this.#put(object))
    return object
  }

  #put(object: JsonObject): void {
    this.#objects.set(keyOf(object), object)
  }
}

function keyOf(object: JsonObject): string {
  const {metadata} = object
  const namespace = valueAt(metadata, 'namespace')
  const name = String(valueAt(metadata, 'name') ?? valueAt(metadata, 'generateName') ?? '')
  return keyIn(String(object['kind'] ?? 'object'), name, typeof namespace === 'string' ? namespace : undefined)
}

function keyIn(type: string, name: string, namespace: string | undefined): string {
  return `${kindOf(type)}/${namespace ?? ''}/${name}`
}

function isOf(object: JsonObject, type: string, namespace: string | undefined): boolean {
  const place = valueAt(object, 'metadata', 'namespace')
  const isPlaced = namespace === undefined || place === undefined || place === namespace
  return isPlaced && kindOf(String(object['kind'] ?? '')) === kindOf(type)
}

/** Equality of labels, which is all that can be judged without the API; other terms are taken to hold. */
function matches(object: JsonObject, selector: string): boolean {
  return selector.split(',').every((term) => {
    const [, key, value] = /^([^!=\s]+)==?([^=]*)$/.exec(term) ?? []
    return key === undefined || valueAt(object, 'metadata', 'labels', key) === value
  })
}

function makeUp(type: string, name: string, namespace: string | undefined): JsonObject {
  const kind = kindOf(type)
  const metadata = {name, ...(namespace === undefined ? {} : {namespace}), uid: `uid-of-${name}`}
  return {kind: kind.charAt(0).toUpperCase() + kind.slice(1), metadata, spec: {replicas: 1}}
}

/** Two revisions of what is rolled back, unless the test names others. */
function revisionsOf(type: string, uid: string): JsonObject[] {
  if (!/^(replicasets|controllerrevisions)\./.test(type)) return []
  return [1, 2].map((revision) => ({
    kind: type.startsWith('replicasets') ? 'ReplicaSet' : 'ControllerRevision',
    metadata: {
      name: `revision-${revision}`,
      annotations: {'deployment.kubernetes.io/revision': String(revision)},
      ownerReferences: [{uid}],
    },
    spec: {template: {metadata: {}, spec: {}}},
    revision,
    data: {},
  }))
}

function maskValues(patch: Json): Json {
  if (!isObject(patch)) return MASK
  return Object.fromEntries(
    Object.entries(patch).map(([key, value]) => [key, /^(data|stringData)$/.test(key) ? maskLeaves(value) : value]),
  )
}

function maskLeaves(value: Json): Json {
  return isObject(value) ? Object.fromEntries(Object.keys(value).map((key) => [key, MASK])) : MASK
}

function show(objects: readonly JsonObject[], {output, name, type}: Words): string {
  if (output === 'name')
    return objects
      .map((object) => `${kindOf(type ?? String(object['kind']))}/${String(valueAt(object, 'metadata', 'name'))}\n`)
      .join('')
  if (name === undefined) return JSON.stringify({kind: 'List', items: [...objects]})
  return JSON.stringify(objects[0] ?? {})
}
