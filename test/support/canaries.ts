import {readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import type {Storage} from '@atomctl/storage'
import {expect} from 'chai'

/** Planted secrets, and the search for them in whatever was left: plain, as JSON and URLs have it, hex and base64. */
export class Canaries {
  readonly #forms: readonly Buffer[]

  constructor(values: readonly string[]) {
    this.#forms = values.flatMap(formsOf)
  }

  expectClean(place: string, content: string | Uint8Array): void {
    const bytes = Buffer.from(content)
    for (const form of this.#forms) expect(bytes.includes(form), `${form.toString()} in ${place}`).to.equal(false)
  }

  expectCleanFiles(directory: string): void {
    for (const file of filesBelow(directory)) this.expectClean(file, readFileSync(file))
  }

  /** Every table there is, also those of the engine; their names, for a test that wants to see that it looked. */
  async expectCleanTables(pool: Storage['pool']): Promise<string[]> {
    const {rows} = await pool.query<{name: string}>(
      `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`,
    )
    for (const {name} of rows) {
      const content = await pool.query<{text: string}>(`select t::text as text from ${name} t`)
      this.#expectCleanText(name, content.rows.map(({text}) => text).join('\n'))
    }
    return rows.map(({name}) => name)
  }

  /** Command lines of all processes, which every user of the machine can read; they are answered as well. */
  expectCleanCommandLines(): string {
    const lines = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(commandLineOf)
      .join('\n')
    this.expectClean('command lines', lines)
    return lines
  }

  /** bytea is shown as hex, and what the engine keeps may be base64 of it. */
  #expectCleanText(place: string, text: string): void {
    this.expectClean(place, text)
    for (const [hex] of text.matchAll(/(?<=\\x)[0-9a-f]{16,}/g)) this.expectClean(place, Buffer.from(hex, 'hex'))
    for (const [word] of text.matchAll(/[A-Za-z0-9+/]{24,}={0,2}/g))
      this.expectClean(place, Buffer.from(word, 'base64'))
  }
}

/** base64 wherever in other bytes it began. */
function formsOf(canary: string): Buffer[] {
  const bytes = Buffer.from(canary)
  const packed = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replaceAll('=', '')
    return text.slice([0, 2, 3][offset], -1)
  })
  const hex = bytes.toString('hex')
  const plain = [canary, JSON.stringify(canary).slice(1, -1), encodeURIComponent(canary)]
  return [...plain, hex, hex.toUpperCase(), ...packed].map((form) => Buffer.from(form))
}

function filesBelow(directory: string): string[] {
  return readdirSync(directory, {recursive: true, withFileTypes: true})
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
