/** What a wildcard stands for in the texts made here: nothing, or something that no pattern spells out. */
const FILLERS = ['', 'any'] as const

/**
 * Texts that two scope patterns both match (none when they cannot meet). They are samples, one for each filling of the
 * wildcards, not all there are.
 */
export function commonTexts(left: string, right: string): string[] {
  if (left === '*') return [fill(right)]
  if (right === '*') return [fill(left)]
  const texts = FILLERS.map((filler) => merge(left, right, filler, new Map()))
  return [...new Set(texts.filter((text) => text !== undefined))]
}

function fill(pattern: string): string {
  return pattern.replaceAll('*', 'any')
}

/** The shortest text that both match, with `filler` where both have a wildcard. Each pair of rests is tried once. */
function merge(
  left: string,
  right: string,
  filler: string,
  tried: Map<string, string | undefined>,
): string | undefined {
  const key = `${left.length}:${right.length}`
  if (tried.has(key)) return tried.get(key)
  tried.set(key, undefined)
  const text = step(left, right, (one, other) => merge(one, other, filler, tried), filler)
  tried.set(key, text)
  return text
}

function step(
  left: string,
  right: string,
  rest: (left: string, right: string) => string | undefined,
  filler: string,
): string | undefined {
  if (left === '' && right === '') return ''
  if (left[0] === '*' && right[0] === '*')
    return prefix(
      filler,
      rest(left.slice(1), right.slice(1)) ?? rest(left.slice(1), right) ?? rest(left, right.slice(1)),
    )
  if (left[0] === '*') return rest(left.slice(1), right) ?? swallow(right, (tail) => rest(left, tail))
  if (right[0] === '*') return rest(left, right.slice(1)) ?? swallow(left, (tail) => rest(tail, right))
  return left !== '' && left[0] === right[0] ? prefix(left[0] ?? '', rest(left.slice(1), right.slice(1))) : undefined
}

/** A wildcard on the other side takes one character, unless it is one that no wildcard stands for. */
function swallow(text: string, rest: (tail: string) => string | undefined): string | undefined {
  const [first = ''] = text
  return first === '' || /[/\s]/.test(first) ? undefined : prefix(first, rest(text.slice(1)))
}

function prefix(start: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : start + text
}
