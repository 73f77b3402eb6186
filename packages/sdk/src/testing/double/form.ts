import type {Recorded} from '../fault-server.ts'
import {Rejected} from './framework.ts'

/** A part of a form; without a plain `filename` it is a text field, whatever it holds. */
export interface FormPart {
  readonly name: string
  readonly filename: string | undefined
  readonly content: Buffer
}

/** Reads a multipart body as python-multipart does; undefined when the request is not a form at all. */
export function readForm({headers, body}: Recorded): FormPart[] | undefined {
  const type = headers['content-type'] ?? ''
  if (!/^multipart\/form-data\b/i.test(type)) return undefined
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1]
  if (boundary === undefined) throw new Rejected(400, 'Missing boundary in multipart.')
  const text = body.toString('latin1')
  if (!text.startsWith(`--${boundary}\r\n`) || !text.includes(`\r\n--${boundary}--`)) {
    throw new Rejected(400, 'There was an error parsing the body')
  }
  const sections = `\r\n${text}`.split(`\r\n--${boundary}`).slice(1, -1)
  return sections.map(readPart)
}

function readPart(section: string): FormPart {
  const end = section.indexOf('\r\n\r\n')
  const head = section.slice(0, end)
  return {
    name: /[; ]name="([^"]*)"/.exec(head)?.[1] ?? '',
    filename: /[; ]filename="([^"]+)"/.exec(head)?.[1],
    content: Buffer.from(section.slice(end + 4), 'latin1'),
  }
}
