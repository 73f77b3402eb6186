import {
  type Execution,
  execution,
  executionList,
  type ExecutionQuery,
  type LogEntry,
  logs as logsReply,
} from '@atomctl/protocol/runtime'
import {encodeSegment, notProtocol, notSupported, readJson, type Service} from '../http/index.ts'

export interface ExecutionPage {
  readonly executions: Execution[]
  /** There are more than `query.limit`. */
  readonly truncated: boolean
}

/** A log line; the original runtime gives neither time nor step. */
export interface LogLine extends Pick<LogEntry, 'seq' | 'step' | 'stream' | 'text'> {
  readonly time?: string
}

const LARGEST_PAGE = 1000
const DEFAULT_LIMIT = 50

export function executionPath(id: string): string {
  return `/execute/${encodeSegment(id)}`
}

export async function fetchExecution(service: Service, id: string, signal?: AbortSignal): Promise<Execution> {
  const response = await service.request({method: 'GET', path: executionPath(id), signal})
  const found = readJson(response, execution)
  if (found.execution_id !== id) throw notProtocol(response, `answered another execution than ${id}`)
  return found
}

/** Past executions, newest first. Throws NOT_SUPPORTED for an original runtime, which keeps no list. */
export async function listExecutions(
  service: Service,
  query: Partial<ExecutionQuery>,
  all: boolean,
): Promise<ExecutionPage> {
  if (!(await service.supports('list-executions'))) {
    throw notSupported(service, 'does not list its executions', 'ask for one by its id: atomctl status EXECUTION_ID')
  }
  const wanted = all ? Infinity : (query.limit ?? DEFAULT_LIMIT)
  const executions: Execution[] = []
  const seen = new Set<string>()
  let cursor = query.cursor
  do {
    const limit = Math.min(LARGEST_PAGE, wanted - executions.length)
    const response = await service.request({method: 'GET', path: '/executions', query: {...query, limit, cursor}})
    const page = readJson(response, executionList)
    executions.push(...page.executions)
    cursor = page.next_cursor ?? undefined
    if (cursor !== undefined && seen.has(cursor)) throw notProtocol(response, 'lists its pages in a circle')
    if (cursor !== undefined) seen.add(cursor)
  } while (cursor !== undefined && executions.length < wanted)
  return {executions: executions.slice(0, wanted), truncated: cursor !== undefined || executions.length > wanted}
}

/** The log lines after `after` (a `seq`; 0 or absent means all). The lines of an original runtime count from 1. */
export async function fetchLogs(
  service: Service,
  id: string,
  after?: number,
  signal?: AbortSignal,
): Promise<LogLine[]> {
  const path = `/logs/${encodeSegment(id)}`
  const lines: LogLine[] = []
  let last = after ?? 0
  for (let more = true; more;) {
    const query = {after: last || undefined}
    const reply = readJson(await service.request({method: 'GET', path, query, signal}), logsReply)
    const known = last
    const page: LogLine[] = (reply.entries ?? numberLines(reply.logs)).filter((line) => line.seq > known)
    for (const line of page) lines.push(line)
    last = page.at(-1)?.seq ?? last
    // a page that brings nothing new ends it, whatever the service says
    more = page.length > 0 && typeof reply.next_after === 'number'
  }
  return lines
}

export function numberLines(lines: readonly string[]): LogLine[] {
  return lines.map((text, index) => ({seq: index + 1, step: null, stream: 'system', text}))
}
