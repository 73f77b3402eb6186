import {oneLine, type Style, type View} from '@atomctl/sdk/output'
import type {CheckResult} from '../doctor/index.ts'

export const doctorView: View<CheckResult[]> = {
  kind: 'DoctorReport',
  text: (results, style) =>
    [...results.flatMap((result) => resultLines(result, style)), '', total(results, style)].join('\n'),
  names: (results) => results.filter(({status}) => status !== 'ok').map(({check}) => check),
  items: (results) => results,
}

function resultLines({check, status, message, where, fix}: CheckResult, style: Style): string[] {
  const labels = {ok: style.good('ok  '), warn: style.warning('warn'), fail: style.bad('fail')}
  return [
    `${labels[status]}  ${check}: ${oneLine(message)}`,
    ...(where === undefined ? [] : [`      at:  ${oneLine(where)}`]),
    ...(fix === undefined ? [] : [`      fix: ${oneLine(fix)}`]),
  ]
}

function total(results: readonly CheckResult[], style: Style): string {
  const count = (status: CheckResult['status']): number => results.filter((result) => result.status === status).length
  const [failed, warned] = [count('fail'), count('warn')]
  if (failed > 0) return `${style.bad('[ERROR]')} ${failed} failed, ${warned} warnings`
  return `${style.good('[SUCCESS]')} Nothing is broken, ${warned} warnings`
}
