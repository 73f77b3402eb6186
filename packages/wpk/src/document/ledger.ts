import type {Finding, Fix, Position} from './finding.ts'
import {parentPath} from './path.ts'
import type {SourceText} from './text.ts'

/** Enough for an author to work on; a hostile file must not cost a finding per byte. */
const MAX_FINDINGS = 200

export interface Where {
  /** Offset into the normalized text. */
  offset?: number
  path?: string
  /** The form to write, in offsets into the normalized text. */
  rewrite?: Fix
}

/** What the gate finds in one text, and where each value of it stands. */
export class Ledger {
  readonly findings: Finding[] = []
  readonly #text: SourceText
  readonly #offsets = new Map<string, number>()

  constructor(text: SourceText) {
    this.#text = text
  }

  report(rule: string, message: string, {offset, path = '', rewrite}: Where): void {
    if (this.findings.length >= MAX_FINDINGS) return
    const finding: Finding = {rule, severity: 'error', message, path}
    if (offset !== undefined) finding.position = this.#text.positionAt(offset)
    if (rewrite) finding.fix = this.#originalFix(rewrite)
    this.findings.push(finding)
  }

  /** Remembers where the value of a path starts. */
  place(path: string, offset: number): void {
    this.#offsets.set(path, offset)
  }

  /** Where a path, or else its nearest ancestor, starts. */
  locate(path: string): Position | undefined {
    for (let at: string | undefined = path; at !== undefined; at = parentPath(at)) {
      const offset = this.#offsets.get(at)
      if (offset !== undefined) return this.#text.positionAt(offset)
    }
    return undefined
  }

  #originalFix({start, end, text}: Fix): Fix {
    return {start: this.#text.originalOffset(start), end: this.#text.originalOffset(end), text}
  }
}
