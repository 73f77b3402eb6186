/**
 * Whether a pattern matches the whole text: `*` stands for any run of characters that `stop` does not match, everything
 * else for itself. Takes pattern × text steps at most: as a regular expression, `*a*a*a*a` in the policy of a
 * repository you cloned would take for ever.
 */
export function matchesGlob(pattern: string, text: string, stop: RegExp): boolean {
  // reached[n]: what was read of the pattern so far matches the first n characters
  let reached = [true, ...Array<boolean>(text.length).fill(false)]
  for (const character of pattern.split('')) {
    reached = character === '*' ? skipRun(reached, text, stop) : skipOne(reached, text, character)
  }
  return reached[text.length] ?? false
}

function skipRun(reached: readonly boolean[], text: string, stop: RegExp): boolean[] {
  const after = [...reached]
  for (let index = 0; index < text.length; index++) {
    if (after[index] && !stop.test(text[index] ?? '')) after[index + 1] = true
  }
  return after
}

function skipOne(reached: readonly boolean[], text: string, character: string): boolean[] {
  return [false, ...reached.slice(0, -1).map((here, index) => here && text[index] === character)]
}
