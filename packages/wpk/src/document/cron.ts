interface CronField {
  name: string
  min: number
  max: number
  names?: readonly string[]
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

/** The five fields of crontab(5), in order. Weekday 7 is Sunday, as in every cron. */
const FIELDS: readonly CronField[] = [
  {name: 'minute', min: 0, max: 59},
  {name: 'hour', min: 0, max: 23},
  {name: 'day of month', min: 1, max: 31},
  {name: 'month', min: 1, max: 12, names: MONTHS},
  {name: 'day of week', min: 0, max: 7, names: WEEKDAYS},
]

/** Why `text` is no five-field cron expression, in words for the author; undefined when it is one. */
export function describeCronProblem(text: string): string | undefined {
  const parts = text.trim().split(/ +/)
  if (parts.length !== FIELDS.length) return `a cron expression has five fields, this one has ${parts.length}`
  for (const [index, field] of FIELDS.entries()) {
    const bad = parts[index]!.split(',').find((item) => !isCronItem(item, field))
    if (bad !== undefined) return `"${bad}" is not a ${field.name} (${field.min}-${field.max})`
  }
  return undefined
}

/** `*`, `5`, `1-5`, each optionally with `/step`. */
function isCronItem(item: string, field: CronField): boolean {
  const [range = '', step, ...rest] = item.split('/')
  if (rest.length > 0 || (step !== undefined && !(/^\d{1,3}$/.test(step) && Number(step) > 0))) return false
  if (range === '*') return true
  const bounds = range.split('-').map((bound) => cronNumber(bound, field))
  if (bounds.length > 2 || bounds.some((bound) => Number.isNaN(bound))) return false
  const [low, high = low] = bounds as [number, number?]
  return low >= field.min && high <= field.max && low <= high
}

function cronNumber(text: string, {names, min}: CronField): number {
  if (/^\d{1,2}$/.test(text)) return Number(text)
  const index = names?.indexOf(text.toLowerCase()) ?? -1
  return index === -1 ? Number.NaN : index + (min === 1 ? 1 : 0)
}
