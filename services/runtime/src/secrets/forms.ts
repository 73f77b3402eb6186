/** A shorter line of a secret stands in too many other texts to be taken out of them. */
export const SHORTEST = 8

export interface Forms {
  /** Found byte for byte. */
  readonly texts: ReadonlySet<string>
  /** base64 and hex, which programs break into lines wherever they like. */
  readonly packed: ReadonlySet<string>
}

/**
 * How a secret may appear in what a program writes: as it is and line by line; as JSON, URLs, HTML and shells write
 * it; in base64, also in the middle of other bytes, and in hex.
 */
export function formsOf(secret: string): Forms {
  const parts = [...new Set([secret, ...lineEndings(secret), ...linesOf(secret)])].filter(isLong)
  return {
    texts: new Set(parts.flatMap((part) => [part, ...jsonForms(part), ...urlForms(part), ...markupForms(part)])),
    packed: new Set(parts.flatMap((part) => [...base64Forms(Buffer.from(part)), ...hexForms(Buffer.from(part))])),
  }
}

function isLong(text: string): boolean {
  return Buffer.byteLength(text) >= SHORTEST
}

function lineEndings(secret: string): string[] {
  const lines = secret.split(/\r?\n/)
  return [lines.join('\n'), lines.join('\r\n'), secret.trim()]
}

/** The first and last line of PEM say only what it is. */
function linesOf(secret: string): string[] {
  const lines = secret.split(/\r?\n/).map((line) => line.trim())
  return lines.length === 1 ? [] : lines.filter((line) => !line.startsWith('-----'))
}

/** Also the spellings of Go (`<`), Python (non-ASCII) and PHP (`/`), and JSON inside JSON. */
function jsonForms(text: string): string[] {
  const plain = inJson(text)
  const go = plain.replaceAll(/[<>&\u2028\u2029]/g, unicodeEscape)
  return [
    plain,
    go,
    plain.replaceAll(/[\u0080-\uFFFF]/g, unicodeEscape),
    plain.replaceAll('/', '\\/'),
    inJson(plain),
    inJson(go),
  ]
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function urlForms(text: string): string[] {
  const component = encodeURIComponent(text.toWellFormed())
  const strict = component.replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
  const encoded = [
    component,
    strict,
    strict.replaceAll('%20', '+'),
    strict.replaceAll('%2F', '/'),
    encodeURI(text.toWellFormed()),
  ]
  return encoded.flatMap((form) => [form, form.replaceAll(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase())])
}

function markupForms(text: string): string[] {
  const html = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const quoted = html.replaceAll('"', '&quot;')
  const shell = [text.replaceAll("'", `'\\''`), text.replaceAll("'", `'"'"'`)]
  return [
    html,
    quoted,
    quoted.replaceAll("'", '&#39;'),
    html.replaceAll('"', '&#34;').replaceAll("'", '&#39;'),
    ...shell,
  ]
}

/** For each place in a group of three bytes: what does not depend on the bytes around, and with nothing around it. */
function base64Forms(bytes: Buffer): string[] {
  const forms = [0, 1, 2].flatMap((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64')
    const encoded = padded.replaceAll('=', '')
    const start = [0, 2, 3][offset] ?? 0
    const certain = padded.length === encoded.length ? encoded : encoded.slice(0, -1)
    return [certain, encoded, padded].map((form) => form.slice(start))
  })
  return forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

function hexForms(bytes: Buffer): string[] {
  const hex = bytes.toString('hex')
  return [hex, hex.toUpperCase()]
}
