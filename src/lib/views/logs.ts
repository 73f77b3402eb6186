import {printable, type View} from '@atomctl/sdk/output'
import type {LogLine} from '@atomctl/sdk/runtime'

export interface LogLines {
  execution_id: string
  entries: LogLine[]
}

export interface LogOptions {
  step: string | undefined
  timestamps: boolean
}

/** The lines of an execution: with steps and times where the runtime tells them. */
export function logsView(options: LogOptions): View<LogLines> {
  const chosen = ({entries}: LogLines): LogLine[] =>
    entries.filter(({step}) => options.step === undefined || step === options.step)
  return {
    kind: 'Logs',
    text: (data) => chosen(data).map(logLine(options)).join('').trimEnd(),
    items: chosen,
  }
}

/** One entry as a line, newline included. */
export function logLine({timestamps, step: chosen}: LogOptions): (entry: LogLine) => string {
  return ({time, step, text}) => {
    if (chosen !== undefined && step !== chosen) return ''
    const prefix = [timestamps ? (time ?? '') : '', step && chosen === undefined ? `[${printable(step)}]` : '']
    return `${[...prefix.filter(Boolean), printable(text)].join(' ')}\n`
  }
}
