import type {Finding, Fix} from './finding.ts'
import {readDocument} from './reader.ts'

export interface FixResult {
  text: string
  fixed: Finding[]
  remaining: Finding[]
}

/** One round sees as many findings as the gate reports at most, and writing one form can uncover another. */
const MAX_ROUNDS = 25

/** What `validate --fix` does: writes the form each fixable finding asks for and touches nothing else. */
export function fixDocument(bytes: Uint8Array, source: string): FixResult {
  const original = new TextDecoder('utf-8', {ignoreBOM: true}).decode(bytes)
  let {findings} = readDocument(bytes, source)
  let text = original
  const fixed: Finding[] = []
  for (let round = 0; round < MAX_ROUNDS && findings.some(({fix}) => fix); round++) {
    const fixable = findings.filter((finding) => finding.fix !== undefined)
    text = applyFixes(
      text,
      fixable.map(({fix}) => fix!),
    )
    fixed.push(...fixable)
    findings = readDocument(new TextEncoder().encode(text), source).findings
  }
  return {text, fixed, remaining: findings}
}

/** From the end to the start, so that offsets stay true. */
function applyFixes(text: string, fixes: readonly Fix[]): string {
  const ordered = fixes.toSorted((left, right) => right.start - left.start)
  return ordered.reduce(
    (result, {start, end, text: replacement}) => result.slice(0, start) + replacement + result.slice(end),
    text,
  )
}
