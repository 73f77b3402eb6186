import * as z from 'zod'

export type Json = string | number | boolean | null | Json[] | {[key: string]: Json}
export type JsonObject = {[key: string]: Json}

/** Any JSON value, unchecked: the transport already parsed it, so walking it again would only cost time. */
export const json = z.custom<Json>((value) => value !== undefined)

/**
 * A service timestamp. The original sends UTC without a zone mark, sometimes with a space for the `T`
 * (protocol section 1.4); read it with `parseTimestamp`, never with `new Date`.
 */
export const timestamp = z.string()

/** The instant a service timestamp names, reading a missing zone as UTC; undefined when it is no timestamp. */
export function parseTimestamp(text: string): Date | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(\.\d+)?(Z|[+-]\d{2}:?\d{2})?$/.exec(text)
  if (!match) return undefined
  const [, date, time, fraction = '', zone = 'Z'] = match
  const instant = new Date(`${date}T${time}${fraction.slice(0, 4)}${zone}`)
  return Number.isNaN(instant.getTime()) ? undefined : instant
}
