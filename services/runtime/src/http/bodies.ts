import type {FastifyInstance} from 'fastify'
import {Refusal} from '../refusal.ts'

/** Deeper than any package may be (64) with room for the request around it. */
const DEEPEST = 80

/**
 * JSON is the only body. What is nested too deeply is refused before it is parsed, since later walks are recursive;
 * keys that would reach a prototype are refused by Fastify's own parser.
 */
export function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', {parseAs: 'string'}, (request, body, done) => {
    const text = String(body)
    if (text.trim() === '') return done(null, undefined)
    if (isDeep(text)) return done(unreadable('is nested too deeply'))
    void parse(request, text, (error, value) => {
      if (error) return done(unreadable('is not JSON'))
      if (!isExact(value)) return done(unreadable('holds half of a surrogate pair or a number that is too large'))
      done(null, value)
    })
  })
  // The original reads a body without any content type as JSON (protocol section 3.1).
  app.addHook('onRequest', (request, _reply, done) => {
    request.headers['content-type'] ??= 'application/json'
    done()
  })
}

/** Whether RFC 8785 can write the value: what it cannot has no digest, so nothing could be said about it later. */
function isExact(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return true
  return Object.entries(value).every(([key, item]) => key.isWellFormed() && isExact(item))
}

function unreadable(problem: string): Refusal {
  const detail = [{loc: ['body'], msg: `The body ${problem}`, type: 'value_error.jsondecode'}]
  return new Refusal(422, {detail, code: 'REQUEST_REJECTED'})
}

/** Counts brackets outside strings; good enough to bound recursion, the parser judges the rest. */
function isDeep(text: string): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charCodeAt(at)
    if (character === 0x22) at = endOfString(text, at)
    else if (character === 0x5b || character === 0x7b) depth += 1
    else if (character === 0x5d || character === 0x7d) depth -= 1
    if (depth > DEEPEST) return true
  }
  return false
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1
  return at
}
