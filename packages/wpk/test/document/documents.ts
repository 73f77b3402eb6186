import {readDocument} from '@atomctl/wpk/document'
import type {Finding, ReadResult} from '@atomctl/wpk/document'

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text)

/** The smallest valid package, with parts to replace. */
export function packageText({
  metadata = '',
  spec = '',
  handlers = ECHO,
}: {metadata?: string; spec?: string; handlers?: string} = {}): string {
  return `apiVersion: v1
kind: WorkflowPackage
metadata:
  name: say-hello
  version: "1.0.0"
  description: Says hello
  author: Ada
${metadata}spec:
  runtime: {type: shell}
  safety: {mode: manual}
${spec}  handlers:
${handlers}`
}

const ECHO = `    - name: hello
      type: shell
      config: {command: echo hello}
`

/** One handler, its fields as YAML flow or block text under the list item. */
export function handlerText(...lines: string[]): string {
  return `    - ${lines.join('\n      ')}\n`
}

export function read(text: string): ReadResult {
  return readDocument(encode(text), 'test.wpk.yaml')
}

/** `line:column severity rule path` of each finding: what a test compares. */
export function summarize(findings: readonly Finding[]): string[] {
  return findings.map(
    ({position, severity, rule, path}) => `${position?.line}:${position?.column} ${severity} ${rule} ${path}`,
  )
}

export function rulesOf(findings: readonly Finding[]): string[] {
  return findings.map(({rule}) => rule)
}
