import {oneLine, type Style} from '../output/index.ts'
import type {Finding} from '@atomctl/wpk/document'

/** A finding as people read it: the message, then where, which rule and what to do, indented beneath. */
export function findingLines(finding: Finding, file: string, style: Style): string[] {
  const {message, rule, suggestion, suppressed} = finding
  return [
    `  - ${oneLine(message)}`,
    `      ${style.faint([placeOf(finding, file), rule, pointsOf(finding)].filter(Boolean).join('  '))}`,
    ...(suggestion === undefined ? [] : [`      fix: ${oneLine(suggestion)}`]),
    ...(suppressed === undefined ? [] : [`      suppressed: ${oneLine(suppressed)}`]),
  ]
}

/** `file:line:col` where the line is known, else the file and the path inside the document. */
export function placeOf({position, path}: Finding, file: string): string {
  if (position) return `${oneLine(file)}:${position.line}:${position.column}`
  return path === '' ? oneLine(file) : `${oneLine(file)} (${oneLine(path)})`
}

function pointsOf({points}: Finding): string {
  return points === undefined || points === 0 ? '' : `${points} points`
}
