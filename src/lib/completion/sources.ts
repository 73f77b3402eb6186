import type {Candidate, CompletionRequest} from '@atomctl/sdk/completion'
import type {AtomContext} from '@atomctl/sdk/context'
import {ERRORS} from '@atomctl/sdk/errors'
import type {Json} from '@atomctl/wpk/canonical'

type Source = (atom: AtomContext, subject: string) => Promise<Candidate[]>

const MOST_WORKFLOWS = 1000
const MOST_EXECUTIONS = 200

/** Where live values come from. A server's answers are checked like any other; what is odd is left out when offered. */
const SOURCES: Readonly<Record<string, Source>> = {
  context: listContexts,
  execution: listExecutions,
  explain: listExplanations,
  parameter: listParameters,
  step: listSteps,
  tag: listTags,
  workflow: listWorkflows,
}

/** Everything of one kind; undefined when atomctl itself does not know it, and plugins have to be asked. */
export function findCandidates(
  {kind, subject = ''}: CompletionRequest,
  atom: AtomContext,
): Promise<Candidate[]> | undefined {
  return Object.hasOwn(SOURCES, kind) ? SOURCES[kind]?.(atom, subject) : undefined
}

async function listWorkflows(atom: AtomContext): Promise<Candidate[]> {
  const registry = await atom.registry()
  const {workflows} = await registry.list({limit: MOST_WORKFLOWS})
  // what has another form could not be run, pulled or deleted by this name
  const proper = workflows.filter(({id}) => /^[a-z0-9][a-z0-9-]*-\d+\.\d+\.\d+$/.test(id))
  return proper.map(({id, description}) => ({value: id, description: text(description)}))
}

async function listTags(atom: AtomContext): Promise<Candidate[]> {
  const registry = await atom.registry()
  const {workflows} = await registry.list({limit: MOST_WORKFLOWS})
  const tags = workflows.flatMap((workflow) => (Array.isArray(workflow.tags) ? workflow.tags : []))
  return [...new Set(tags.filter((tag) => typeof tag === 'string'))].map((value) => ({value}))
}

async function listExecutions(atom: AtomContext): Promise<Candidate[]> {
  const runtime = await atom.runtime()
  const {executions} = await runtime.list({limit: MOST_EXECUTIONS})
  const proper = executions.filter(({execution_id: id}) => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(id))
  return proper.map(({execution_id: value, workflow_id: workflow, status}) => ({
    value,
    description: [status, workflow].filter(Boolean).join(' '),
  }))
}

async function listSteps(atom: AtomContext, execution: string): Promise<Candidate[]> {
  const runtime = await atom.runtime()
  const {steps} = (await runtime.status(execution)) as {steps?: unknown}
  const named = (Array.isArray(steps) ? steps : []) as {name?: unknown; status?: Json}[]
  return named.flatMap(({name, status}) => (typeof name === 'string' ? [{value: name, description: text(status)}] : []))
}

async function listParameters(atom: AtomContext, subject: string): Promise<Candidate[]> {
  const [{readSubject}, {declarationsOf}] = await Promise.all([
    import('@atomctl/sdk/verification'),
    import('@atomctl/wpk/parameters'),
  ])
  const {document} = await readSubject(subject, atom)
  return (declarationsOf(document.value) ?? []).map(({name, type, description, schema}) => ({
    value: name,
    description: description ? `${type}: ${description}` : type,
    values: type === 'boolean' ? ['true', 'false'] : allowedValues(schema),
  }))
}

function allowedValues(schema: unknown): string[] {
  const {enum: allowed} = (schema ?? {}) as {enum?: unknown}
  return (Array.isArray(allowed) ? allowed : []).filter((value) => typeof value !== 'object').map(String)
}

async function listContexts({configuration}: AtomContext): Promise<Candidate[]> {
  return [...configuration.contexts.values()].map(({name, value}) => ({
    value: name,
    description: value.registry_url ?? value.runtime_url ?? '',
  }))
}

async function listExplanations(): Promise<Candidate[]> {
  const [{explainField}, {LINT_RULES}] = await Promise.all([
    import('@atomctl/wpk/document'),
    import('@atomctl/wpk/lint'),
  ])
  const codes = Object.entries(ERRORS).map(([value, {summary}]) => ({value, description: summary}))
  const rules = Object.entries(LINT_RULES).map(([value, {advice}]) => ({value, description: advice}))
  return [...fieldsBelow('wpk', explainField, 0), ...codes, ...rules]
}

type ExplainField = (typeof import('@atomctl/wpk/document'))['explainField']
const DEEPEST = 6

function fieldsBelow(path: string, explainField: ExplainField, depth: number): Candidate[] {
  const doc = explainField(path)
  if (!doc) return []
  const names = [...new Set([...doc.fields.map(({name}) => name), ...doc.topics])]
  const below =
    depth === DEEPEST ? [] : names.flatMap((name) => fieldsBelow(`${path}.${name}`, explainField, depth + 1))
  return [{value: path, description: doc.description}, ...below]
}

const text = (value: Json | undefined): string | undefined => (typeof value === 'string' ? value : undefined)
