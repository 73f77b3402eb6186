import {styleText} from 'node:util'
import type {Environment} from '../config/environment.ts'

type Look = Parameters<typeof styleText>[0]

/** Adds colour to human text, or leaves it alone. */
export interface Style {
  readonly colour: boolean
  good(text: string): string
  bad(text: string): string
  warning(text: string): string
  strong(text: string): string
  faint(text: string): string
}

/** Flag, then NO_COLOR (no-color.org), then FORCE_COLOR, then whether a person watches the stream. */
export function wantsColour(flag: boolean | undefined, environment: Environment, stream: {isTTY?: boolean}): boolean {
  if (flag !== undefined) return flag
  if (environment['NO_COLOR']) return false
  const forced = environment['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return stream.isTTY === true && environment['TERM'] !== 'dumb'
}

export function createStyle(colour: boolean): Style {
  const paint = (look: Look) => (text: string) => (colour ? styleText(look, text, {validateStream: false}) : text)
  return {
    colour,
    good: paint('green'),
    bad: paint('red'),
    warning: paint('yellow'),
    strong: paint('bold'),
    faint: paint('dim'),
  }
}

/** The same on one line: for names and messages that must not look like two. */
export function oneLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n').replaceAll('\t', '\\t')
}

/** Makes text from a file or a server safe for a terminal: control characters are shown, never obeyed. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are the characters to defuse
  return text.replaceAll(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
  })
}
