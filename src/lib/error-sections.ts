import {readFile} from 'node:fs/promises'
import {join} from 'node:path'

/** What docs/errors.md says about one code, each part as one paragraph. */
export interface ErrorSection {
  readonly summary: string
  readonly cause: string
  readonly cure: string
  readonly exit: number
}

/** The sections of docs/errors.md, which is part of the package, by code. `root` is the folder of the package. */
export async function readErrorSections(root: string): Promise<ReadonlyMap<string, ErrorSection>> {
  return parseErrorSections(await readFile(join(root, 'docs', 'errors.md'), 'utf8'))
}

/** Reads the page's form: `### CODE`, the summary, then a list of **Exit code**, **Cause** and **Cure**. */
export function parseErrorSections(page: string): ReadonlyMap<string, ErrorSection> {
  const sections = page.replaceAll('\r\n', '\n').split(/^### /m).slice(1)
  return new Map(sections.map((section) => [section.split('\n', 1)[0]?.trim() ?? '', parseSection(section)]))
}

function parseSection(section: string): ErrorSection {
  const [, summary = ''] = section.split(/^#/m, 1)[0]?.split('\n\n') ?? []
  const item = (name: string): string => paragraph(section.match(itemPattern(name))?.[1] ?? '')
  return {
    summary: paragraph(summary),
    cause: item('Cause'),
    cure: item('Cure'),
    exit: Number.parseInt(item('Exit code')),
  }
}

// An item ends where the next one, an empty line or the page does.
function itemPattern(name: string): RegExp {
  return new RegExp(`^- \\*\\*${name}\\*\\*([\\s\\S]*?)(?=\\n- |\\n\\n|\\n#|$(?![\\s\\S]))`, 'm')
}

function paragraph(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}
