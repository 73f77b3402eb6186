import {inspect} from 'node:util'
import {printable} from '@atomctl/sdk/output'

type Log = (details: unknown, message?: unknown) => void

/** What the services log with, in the shape Fastify wants: one line each. */
export interface Logger {
  level: string
  fatal: Log
  error: Log
  warn: Log
  info: Log
  debug: Log
  trace: Log
  silent: Log
  child(): Logger
}

/** Warnings and errors always, every request with `--verbose`. */
export function createLogger(stream: {write(text: string): unknown}, isVerbose: boolean): Logger {
  const write =
    (level: string): Log =>
    (details, message) => {
      stream.write(`${new Date().toISOString()} ${level} ${lineOf(details, message)}\n`)
    }
  const ignore: Log = () => {}
  const logger: Logger = {
    level: isVerbose ? 'info' : 'warn',
    fatal: write('ERROR'),
    error: write('ERROR'),
    warn: write('WARN'),
    info: isVerbose ? write('INFO') : ignore,
    debug: ignore,
    trace: ignore,
    silent: ignore,
    child: () => logger,
  }
  return logger
}

function lineOf(details: unknown, message: unknown): string {
  if (typeof details === 'string') return oneLine(details)
  const facts = Object.entries(details ?? {}).map(([name, value]) => describe(name, value))
  return oneLine([typeof message === 'string' ? message : '', ...facts].filter(Boolean).join(' '))
}

function oneLine(text: string): string {
  return printable(text.replaceAll(/\s*\n\s*/g, ' '))
}

// Requests and replies are whole object graphs; a line names what one looks for, and is bounded.
function describe(name: string, value: unknown): string {
  if (name === 'req') return requestLine(value as {method?: string; url?: string})
  if (name === 'res') return `status=${(value as {statusCode?: number}).statusCode}`
  const text = inspect(value, {breakLength: Infinity, depth: 3, maxStringLength: 1000})
  return `${name}=${text}`
}

// a query may hold what somebody searched for, never a credential; the path alone is enough
function requestLine({method, url}: {method?: string; url?: string}): string {
  return `${method} ${url?.split('?')[0]}`
}
