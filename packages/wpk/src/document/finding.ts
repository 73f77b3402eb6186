export type Severity = 'error' | 'warning' | 'info'

export type Level = 'critical' | 'high' | 'medium' | 'low'

/** A place in a text; both count from 1, columns in UTF-16 units as editors do. */
export interface Position {
  line: number
  column: number
}

/** Replace the UTF-16 range `start`..`end` of the document text with `text`. */
export interface Fix {
  start: number
  end: number
  text: string
}

/** One thing a check has to say about a document. `path` is like `spec.handlers[0].config`; '' is the whole document. */
export interface Finding {
  rule: string
  severity: Severity
  message: string
  path: string
  position?: Position
  fix?: Fix
  suggestion?: string
  cwe?: string
  /** Weight of a security finding in the words of the policy; `severity` says what it means for this document. */
  level?: Level
  points?: number
  /** The reason the author gave for setting this finding aside; a suppressed finding scores nothing. */
  suppressed?: string
}

export type Locate = (path: string) => Position | undefined

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'error')
}
