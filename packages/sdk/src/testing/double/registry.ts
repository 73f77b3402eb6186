import {createHash} from 'node:crypto'
import {parseYaml} from '@atomctl/wpk/document'
import {readForm} from './form.ts'
import {
  type Answer,
  type Call,
  CRASH,
  type FrameworkVersion,
  invalid,
  jsonObject,
  naiveNow,
  ok,
  Rejected,
  requireBearer,
  type Route,
} from './framework.ts'

type Fields = Record<string, unknown>

interface Stored {
  entry: Fields
  /** Undefined when the file is gone although the index has the entry. */
  content: Fields | undefined
}

const WORKFLOW = /^\/workflows\/([^/]+)$/s

/** The original registry (protocol section 2): an index and files, in memory. */
export class RegistryDouble {
  readonly workflows = new Map<string, Stored>()
  readonly routes: readonly Route[]
  readonly #version: FrameworkVersion
  readonly #refusesSignatures: boolean
  /** A stored date value truncates the index file; then everything but /health answers 500 (section 2.9). */
  #corrupt = false

  constructor(version: FrameworkVersion, refusesSignatures: boolean) {
    this.#version = version
    this.#refusesSignatures = refusesSignatures
    this.routes = [
      {method: 'GET', path: /^\/health$/, handle: () => ok({status: 'healthy', timestamp: naiveNow()})},
      {method: 'GET', path: /^\/workflows$/, handle: (call) => this.#list(call)},
      {method: 'POST', path: /^\/workflows$/, handle: (call) => this.#push(call)},
      {method: 'GET', path: WORKFLOW, handle: ({id}) => this.#get(id)},
      {method: 'DELETE', path: WORKFLOW, handle: (call) => this.#delete(call)},
      {method: 'POST', path: /^\/workflows\/([^/]+)\/sign$/s, handle: (call) => this.#sign(call)},
      {method: 'POST', path: /^\/workflows\/([^/]+)\/dry-run$/s, handle: (call) => this.#dryRun(call)},
      {method: 'GET', path: /^\/workflows\/([^/]+)\/runs$/s, handle: (call) => this.#runs(call)},
      {method: 'POST', path: /^\/workflows\/([^/]+)\/runs\/notify$/s, handle: (call) => this.#notify(call)},
    ]
  }

  #index(): Map<string, Stored> {
    if (this.#corrupt) throw new TypeError('the index is cut off')
    return this.workflows
  }

  #stored(id: string): Stored {
    const stored = this.#index().get(id)
    if (!stored) throw new Rejected(404, 'Workflow not found')
    return stored
  }

  #content(id: string): {entry: Fields; content: Fields} {
    const {entry, content} = this.#stored(id)
    if (!content) throw new Rejected(500, 'WPK file not found')
    return {entry, content}
  }

  #list({query}: Call): Answer {
    const last = (key: string): string => query.getAll(key).at(-1) ?? ''
    const [tag, runtime, safety] = [last('tag'), last('runtime'), last('safety_mode')]
    const workflows = [...this.#index().values()]
      .map(({entry}) => entry)
      .filter((entry) => tag === '' || hasTag(entry['tags'], tag))
      .filter((entry) => runtime === '' || entry['runtime_type'] === runtime)
      .filter((entry) => safety === '' || entry['safety_mode'] === safety)
    return ok({workflows, total: workflows.length})
  }

  #push({request}: Call): Answer {
    const form = readForm(request)
    requireBearer(request, this.#version)
    const file = form?.findLast(({name}) => name === 'file')
    if (!file) throw invalid(this.#version, 'missing', ['body', 'file'])
    if (file.filename === undefined) throw invalid(this.#version, 'upload', ['body', 'file'], file.content.toString())
    const {content, dated} = readDocument(file.content)
    const entry = entryOf(content)
    const id = String(entry['id'])
    this.#write(id, {entry, content})
    // The index file is rewritten in place and a date cannot be serialised: it stays truncated.
    if (dated) this.#corrupt = true
    if (dated) return CRASH
    return ok({message: 'Workflow registered successfully', workflow_id: id, status: 'registered'})
  }

  // The file is written before the signature is looked at, and deleted when it is refused; the old entry stays.
  #write(id: string, stored: Stored): void {
    const index = this.#index()
    const present = index.get(id)
    if (!this.#refusesSignatures) return void index.set(id, stored)
    if (present) present.content = undefined
    throw new Rejected(400, 'Invalid cosign signature')
  }

  #get(id: string): Answer {
    const {entry, content} = this.#content(id)
    return ok({...entry, wpk_content: content})
  }

  #delete({request, id}: Call): Answer {
    requireBearer(request, this.#version)
    this.#stored(id)
    this.workflows.delete(id)
    return ok({message: `Workflow ${id} deleted successfully`})
  }

  #sign({request, id}: Call): Answer {
    requireBearer(request, this.#version)
    const {entry, content} = this.#content(id)
    const signature = `cosign-${createHash('sha256').update(id).digest('hex').slice(0, 16)}`
    Object.assign(entry, {signature, signed_at: naiveNow()})
    Object.assign(content['metadata'] as Fields, {signature})
    return ok({message: 'Workflow signed successfully', signature})
  }

  #dryRun({request, id}: Call): Answer {
    jsonObject(request, this.#version)
    requireBearer(request, this.#version)
    const {entry} = this.#content(id)
    return ok(dryRunOf(id, entry))
  }

  // As shipped the module that keeps the history is looked for one directory too high.
  #runs({query}: Call): Answer {
    const limit = query.get('limit') ?? '20'
    if (!/^-?\d+$/.test(limit)) throw invalid(this.#version, 'integer', ['query', 'limit'], limit)
    throw new Rejected(500, "Failed to get workflow runs: No module named 'run_logger'")
  }

  #notify({request, id}: Call): Answer {
    const body = jsonObject(request, this.#version)
    requireBearer(request, this.#version)
    if (!body) throw invalid(this.#version, 'missing', ['body'])
    const {entry} = this.#stored(id)
    const total = Number(entry['total_runs'] ?? 0) + 1
    const {run_id: run = null, status = null} = body
    Object.assign(entry, {latest_run_id: run, latest_run_status: status, latest_run_at: naiveNow(), total_runs: total})
    return ok({message: 'Run notification received', workflow_id: id, run_id: run, status: 'updated'})
  }
}

function hasTag(tags: unknown, tag: string): boolean {
  // `tag in None` and `tag in 7` raise; `tag in "text"` looks for a substring.
  if (typeof tags === 'string' || Array.isArray(tags)) return tags.includes(tag)
  throw new TypeError('tags are not iterable')
}

const INDEXED = new Set(['metadata.created', 'metadata.tags', 'spec.runtime.type', 'spec.safety.mode'])

/** The document of an upload, and whether it holds an unquoted date where the index cannot store one. */
function readDocument(bytes: Buffer): {content: Fields; dated: boolean} {
  if (bytes.length === 0) throw new Rejected(400, 'Invalid WPK schema')
  const {value, reading, findings} = parseYaml(bytes, 'upload')
  const content: unknown = value ?? reading
  const scalar = findings.some(({rule}) => rule === 'yaml_root')
  if (content === undefined && !scalar) throw new Rejected(400, 'Invalid YAML format')
  if (!isWpk(content)) throw new Rejected(400, 'Invalid WPK schema')
  const {signature} = content['metadata'] as Fields
  if (signature === undefined || signature === '') throw new Rejected(400, 'WPK must be signed with cosign')
  const ambiguous = findings.filter(({rule, path}) => rule === 'yaml_ambiguous' && INDEXED.has(path))
  return {content, dated: ambiguous.some(({message}) => /\d{4}-\d{2}-\d{2}/.test(message))}
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The schema enforced on push (section 2.2), no stricter. Python's `$` lets a trailing newline through. */
function isWpk(value: unknown): value is Fields {
  if (!isFields(value)) return false
  const {apiVersion, kind, metadata, spec} = value
  if (apiVersion !== 'v1' || kind !== 'WorkflowPackage' || !isFields(metadata) || !isFields(spec)) return false
  const {name, version, description, author, signature} = metadata
  const texts = [description, author, ...(signature === undefined ? [] : [signature])]
  if (!texts.every((text) => typeof text === 'string')) return false
  if (typeof name !== 'string' || !/^[a-z0-9-]+\n?$/.test(name)) return false
  if (typeof version !== 'string' || !/^[0-9]+\.[0-9]+\.[0-9]+\n?$/.test(version)) return false
  const {runtime, safety, handlers} = spec
  if (!isFields(runtime) || !('type' in runtime) || !isFields(safety) || !('mode' in safety)) return false
  return Array.isArray(handlers) && handlers.length > 0
}

function entryOf({metadata, spec}: Fields): Fields {
  const {name, version, description, author, created = naiveNow(), tags = [], signature} = metadata as Fields
  const {runtime, safety} = spec as Record<string, Fields>
  const id = `${String(name)}-${String(version)}`
  return {
    id,
    name,
    version,
    description,
    author,
    created,
    tags,
    safety_mode: safety?.['mode'],
    runtime_type: runtime?.['type'],
    file_path: `data/${id}.wpk.yaml`,
    signature,
    registered_at: naiveNow(),
  }
}

/** The static validator only looks at `steps`, so type + config packages always come out clean (section 8.5). */
function dryRunOf(id: string, entry: Fields): Fields {
  const tags = Array.isArray(entry['tags']) ? (entry['tags'] as unknown[]) : []
  const mode = String(entry['safety_mode']).toLowerCase()
  return {
    workflow_id: id,
    validation: {
      valid: true,
      risk_score: 0,
      issues: [],
      policy_decision: 'approve',
      approval_required: false,
      errors: [],
      warnings: [],
    },
    category: {
      categories: ['infrastructure', 'security', 'monitoring'].filter((category) => tags.includes(category)),
      risk_level: 'low',
      resource_types: [],
      complexity: 'simple',
      automation_level: mode === 'auto' ? 'fully_automated' : 'manual',
    },
    approval_request: null,
    recommendation: {can_execute: true, requires_approval: false, safety_mode: entry['safety_mode']},
    timestamp: naiveNow(),
    dry_run_id: `dryrun-${id}-${Math.floor(Date.now() / 1000)}`,
  }
}
