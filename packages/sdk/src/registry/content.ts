import type {Json, JsonObject} from '@atomctl/wpk/canonical'

// ECMAScript 2026 (JSON.parse source text access), in Node since 21 and not yet in TypeScript's es2024 library.
interface ExactJson {
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: {source?: string}) => unknown,
  ): Record<string, unknown>
  rawJSON(text: string): unknown
}

const exactJson = JSON as unknown as ExactJson

/** A JSON text with every number as it was written; only then do `1.0` and big integers survive (protocol section 6.3). */
export function exactMember(text: string, member: string): string {
  const value = exactJson.parse(text, (_key, parsed, {source}) =>
    typeof parsed === 'number' && source !== undefined ? exactJson.rawJSON(source) : parsed,
  )
  return JSON.stringify(value[member])
}

/**
 * A number in the text that a signature cannot protect, because JavaScript and RFC 8785 know it only rounded: an
 * integer beyond 2^53, or one out of range.
 */
export function findImpreciseNumber(text: string): string | undefined {
  let imprecise: string | undefined
  exactJson.parse(text, (_key, value, {source}) => {
    if (typeof value === 'number' && !isPrecise(value)) imprecise = source
    return value
  })
  return imprecise
}

function isPrecise(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))
}

/** `metadata.signature` of a document, whatever it is. */
export function signatureOf(content: JsonObject): Json | undefined {
  const metadata = content['metadata']
  return typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
    ? metadata['signature']
    : undefined
}
