/** Other texts around, or in the place of, a JSON text. */
export function textsAround(text: string): [what: string, bytes: Buffer][] {
  const open = text.indexOf('{') + 1
  const inside = (member: string): Buffer => Buffer.from(`${text.slice(0, open)}${member},${text.slice(open)}`)
  const words: [string, string][] = [
    ['as it is', text],
    ['with white space around', ` \t\r\n${text}\r\n \t`],
    ['with indentation', JSON.stringify(JSON.parse(text), undefined, 2)],
    ['with a form feed before', `\f${text}`],
    ['with a no-break space behind', `${text}\u00A0`],
    ['with a byte order mark', `\uFEFF${text}`],
    ['with text behind', `${text}x`],
    ['with a bracket behind', `${text}}`],
    ['with a second document behind', `${text}\n${text}`],
    ['with a NUL behind', `${text}\0`],
    ['with a comment', `/* */${text}`],
    ['with a trailing comma', text.replace(/\}$/, ',}')],
    ['in a list', `[${text}]`],
    ['as a text', JSON.stringify(text)],
    ['with single quotes', text.replaceAll('"', "'")],
    ['empty', ''],
    ['null', 'null'],
    ['cut off', text.slice(0, -1)],
    ['as YAML', 'mediaType: x\n'],
    ['with a name as a bare word', text.replace(/"(\w+)":/, '$1:')],
    ['with every slash escaped', text.replaceAll('/', String.raw`\/`)],
    ['with a raw control character', text.replace('":"', '":"\u0001')],
  ]
  return [
    ...words.map(([what, other]): [string, Buffer] => [what, Buffer.from(other)]),
    ['in UTF-16', Buffer.from(text, 'utf16le')],
    [
      'with a byte that is not UTF-8',
      Buffer.concat([Buffer.from('{"'), Buffer.of(0xff), Buffer.from(`":1,${text.slice(1)}`)]),
    ],
    ['with an unknown field of great depth', inside(`"deep":${'['.repeat(20_000)}${']'.repeat(20_000)}`)],
    ['with an unknown field of great length', inside(`"long":"${'x'.repeat(100_000)}"`)],
    ['with many unknown fields', inside(Array.from({length: 10_000}, (_, index) => `"f${index}":${index}`).join())],
  ]
}
