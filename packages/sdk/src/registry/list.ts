import {type WorkflowEntry, type WorkflowList, workflowList, type WorkflowQuery} from '@atomctl/protocol/registry'
import {isAtomError} from '../errors.ts'
import {notProtocol, readJson, type Service} from '../http/index.ts'

export interface WorkflowPage {
  readonly workflows: WorkflowEntry[]
  /** There are more than `query.limit`. */
  readonly truncated: boolean
}

const LARGEST_PAGE = 1000

/**
 * The workflows that match. `name` is contained in the name; `q` in the name, description, author or a tag. A registry
 * that announces `search` narrows the list by text, the original answers with everything; the rest is decided here.
 */
export async function listWorkflows(service: Service, query: WorkflowQuery, all: boolean): Promise<WorkflowPage> {
  const {name, q, limit = LARGEST_PAGE, ...exact} = query
  if (name === undefined && q === undefined) return collect(service, query, all)
  const searches = await service.supports('search')
  if (searches && name === undefined) return collect(service, query, all)
  const {workflows} = await collect(service, {...exact, ...(searches ? {q: q ?? name} : {})}, true)
  const matching = workflows.filter(
    (entry) => mentions([entry.name], name) && (searches || mentions(searchable(entry), q)),
  )
  return all ? {workflows: matching, truncated: false} : cut(matching, limit, false)
}

async function collect(service: Service, query: WorkflowQuery, all: boolean): Promise<WorkflowPage> {
  const wanted = all ? Infinity : (query.limit ?? Infinity)
  const workflows: WorkflowEntry[] = []
  const seen = new Set<string>()
  let cursor = query.cursor
  do {
    const limit = Math.min(LARGEST_PAGE, wanted - workflows.length)
    const page = await fetchPage(service, {...query, limit, cursor})
    workflows.push(...page.workflows)
    cursor = page.next_cursor ?? undefined
    if (cursor !== undefined && seen.has(cursor))
      throw notProtocol({origin: service.origin, service: service.name}, 'lists its pages in a circle')
    if (cursor !== undefined) seen.add(cursor)
  } while (cursor !== undefined && workflows.length < wanted)
  return cut(workflows, wanted, cursor !== undefined)
}

function cut(workflows: WorkflowEntry[], limit: number, more: boolean): WorkflowPage {
  return {workflows: workflows.slice(0, limit), truncated: more || workflows.length > limit}
}

async function fetchPage(service: Service, query: WorkflowQuery): Promise<WorkflowList> {
  const request = async (sent: WorkflowQuery): Promise<WorkflowList> =>
    readJson(await service.request({method: 'GET', path: '/workflows', query: sent}), workflowList)
  try {
    return await request(query)
  } catch (error) {
    // One entry with `tags:` null makes the original answer 500 to every ?tag= request (protocol section 2.3).
    if (query.tag === undefined || !isAtomError(error) || error.details?.['status'] !== 500) throw error
    const {tag, ...rest} = query
    const page = await request(rest)
    return {...page, workflows: page.workflows.filter(({tags}) => Array.isArray(tags) && tags.includes(tag))}
  }
}

function searchable({name, description, author, tags}: WorkflowEntry): unknown[] {
  return [name, description, author, ...(Array.isArray(tags) ? tags : [])]
}

function mentions(values: unknown[], text: string | undefined): boolean {
  const needle = text?.toLowerCase()
  return (
    needle === undefined || values.some((value) => typeof value === 'string' && value.toLowerCase().includes(needle))
  )
}
