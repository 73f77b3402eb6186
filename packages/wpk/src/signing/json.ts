const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]:,]/g

const decoder = new TextDecoder('utf-8', {fatal: true, ignoreBOM: true})

/**
 * JSON as strictly as cosign's protobuf reader takes it: valid UTF-8, and a key that occurs twice in an object is an
 * error, because two readers could take different ones. Throws SyntaxError or TypeError.
 */
export function parseStrictJson(bytes: Uint8Array): unknown {
  const text = decoder.decode(bytes)
  const value: unknown = JSON.parse(text)
  checkKeys(text)
  return value
}

/** Walks the tokens of well-formed JSON; each open object has the set of its keys, each open array `undefined`. */
function checkKeys(text: string): void {
  const open: (Set<string> | undefined)[] = []
  let last = ''
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set())
    else if (token === '[') open.push(undefined)
    else if (token === '}' || token === ']') open.pop()
    else if (token === ':') addKey(open.at(-1), last)
    last = token
  }
}

function addKey(keys: Set<string> | undefined, token: string): void {
  const key = JSON.parse(token) as string
  if (keys?.has(key)) throw new SyntaxError(`the key ${token} occurs twice`)
  keys?.add(key)
}
